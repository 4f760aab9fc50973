/// The text of JSON strings (RFC 8259 §7), read leniently: an escape that is none stands for itself.
enum JSONStringText {
  static func decode(_ content: ArraySlice<UInt8>) -> [UInt8] {
    guard content.contains(UInt8(ascii: "\\")) else { return Array(content) }
    var text: [UInt8] = []
    text.reserveCapacity(content.count)
    var rest = content
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
        text.append(byte)
        continue
      }
      switch escape {
      case UInt8(ascii: "n"): text.append(0x0A)
      case UInt8(ascii: "r"): text.append(0x0D)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "b"): text.append(0x08)
      case UInt8(ascii: "f"): text.append(0x0C)
      case UInt8(ascii: "u"): text += scalar(&rest)
      default: text.append(escape)
      }
    }
    return text
  }

  /// Letters and digits that are written as `\u0041`, as themselves: what hides a name or a number in broken JSON.
  static func unescapingAlphanumerics(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    var rest = bytes[...]
    while let byte = rest.first {
      if byte == UInt8(ascii: "\\"), rest.dropFirst().first == UInt8(ascii: "u") {
        var behind = rest.dropFirst(2)
        if let unit = unit(&behind), unit < 0x80, isAlphanumeric(UInt8(unit)) {
          text.append(UInt8(unit))
          rest = behind
          continue
        }
      }
      text.append(byte)
      rest = rest.dropFirst()
    }
    return text
  }

  /// Behind `\u`: a character of four hexadecimal digits, or of two of them in a pair.
  private static func scalar(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
    guard let first = unit(&rest) else { return Array("\\u".utf8) }
    if let scalar = Unicode.Scalar(first) { return Array(String(Character(scalar)).utf8) }
    var behind = rest
    if behind.popFirst() == UInt8(ascii: "\\"), behind.popFirst() == UInt8(ascii: "u"), let second = unit(&behind),
      (0xDC00...0xDFFF).contains(second), first < 0xDC00,
      let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
    {
      rest = behind
      return Array(String(Character(scalar)).utf8)
    }
    return Array("\u{FFFD}".utf8)
  }

  private static func unit(_ rest: inout ArraySlice<UInt8>) -> UInt16? {
    let digits = rest.prefix(4)
    guard digits.count == 4, let value = UInt16(String(decoding: digits, as: UTF8.self), radix: 16),
      digits.first != UInt8(ascii: "+")
    else { return nil }
    rest = rest.dropFirst(4)
    return value
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}
