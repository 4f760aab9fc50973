/// Lower-case hexadecimal, the only spelling that Trace Context allows.
enum HexDigits {
  /// Writes 16 digits.
  static func write(_ value: UInt64, to pointer: UnsafeMutableRawPointer) {
    pointer.storeBytes(of: digits(UInt32(truncatingIfNeeded: value >> 32)).bigEndian, as: UInt64.self)
    pointer.storeBytes(of: digits(UInt32(truncatingIfNeeded: value)).bigEndian, toByteOffset: 8, as: UInt64.self)
  }

  /// Eight digits, the first one in the highest byte: all at once, as every call that is passed on has six times as many.
  private static func digits(_ value: UInt32) -> UInt64 {
    // One nibble per byte.
    var word = UInt64(value)
    word = (word << 16 | word) & 0x0000_ffff_0000_ffff
    word = (word << 8 | word) & 0x00ff_00ff_00ff_00ff
    word = (word << 4 | word) & 0x0f0f_0f0f_0f0f_0f0f
    // 1 in the bytes that are 10 and more, whose letters begin 39 above where the digits end.
    let letters = (word &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return word &+ 0x3030_3030_3030_3030 &+ letters &* 39
  }

  /// - Returns: nil when there is something else among the bytes; they are 16 at most.
  static func read(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64? {
    var value: UInt64 = 0
    for byte in bytes {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: return nil
      }
      value = value << 4 | UInt64(digit)
    }
    return value
  }
}
