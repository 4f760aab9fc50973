/// The value of `grpc-timeout`: at most eight digits and a unit.
/// Source: gRPC's `doc/PROTOCOL-HTTP2.md`, "Timeout".
enum Timeout {
  /// - Returns: nanoseconds, or nil when it isn't a timeout.
  static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64? {
    guard (2...9).contains(bytes.count) else { return nil }
    var value: UInt64 = 0
    for byte in bytes.dropLast() {
      guard (0x30...0x39).contains(byte) else { return nil }
      value = value * 10 + UInt64(byte - 0x30)
    }
    let unit: UInt64
    switch bytes[bytes.count - 1] {
    case UInt8(ascii: "H"): unit = 3_600_000_000_000
    case UInt8(ascii: "M"): unit = 60_000_000_000
    case UInt8(ascii: "S"): unit = 1_000_000_000
    case UInt8(ascii: "m"): unit = 1_000_000
    case UInt8(ascii: "u"): unit = 1_000
    case UInt8(ascii: "n"): unit = 1
    default: return nil
    }
    let (nanoseconds, overflow) = value.multipliedReportingOverflow(by: unit)
    // Some 300 years: as good as none, and safe to add to a clock.
    return overflow ? UInt64.max / 2 : min(nanoseconds, UInt64.max / 2)
  }

  /// The finest unit that the eight digits have room for, rounded up so that the peer does not give up before us.
  static func format(nanoseconds: UInt64) -> String {
    String(unsafeUninitializedCapacity: longestCount) { buffer in
      guard let start = buffer.baseAddress else { return 0 }
      return write(nanoseconds: nanoseconds, to: start)
    }
  }

  /// Bytes of the longest one.
  static let longestCount = 9

  /// The same as bytes.
  /// - Parameter pointer: room for `longestCount` bytes.
  /// - Returns: how many there are.
  static func write(nanoseconds: UInt64, to pointer: UnsafeMutablePointer<UInt8>) -> Int {
    let (value, unit) = rounded(nanoseconds)
    var count = 1
    var power: UInt64 = 10
    while value >= power {
      count += 1
      power *= 10
    }
    var rest = value
    for index in stride(from: count - 1, through: 0, by: -1) {
      pointer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    pointer[count] = unit
    return count + 1
  }

  private static func rounded(_ nanoseconds: UInt64) -> (value: UInt64, unit: UInt8) {
    let most: UInt64 = 99_999_999
    if nanoseconds <= most { return (nanoseconds, UInt8(ascii: "n")) }
    func value(_ size: UInt64) -> UInt64 { nanoseconds / size + (nanoseconds % size == 0 ? 0 : 1) }
    let microseconds = value(1_000)
    if microseconds <= most { return (microseconds, UInt8(ascii: "u")) }
    let milliseconds = value(1_000_000)
    if milliseconds <= most { return (milliseconds, UInt8(ascii: "m")) }
    let seconds = value(1_000_000_000)
    if seconds <= most { return (seconds, UInt8(ascii: "S")) }
    let minutes = value(60_000_000_000)
    if minutes <= most { return (minutes, UInt8(ascii: "M")) }
    return (min(value(3_600_000_000_000), most), UInt8(ascii: "H"))
  }
}
