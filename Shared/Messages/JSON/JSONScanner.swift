internal import CMessages

/// Looks at JSON text before json-c does: json-c is lax about numbers and text, takes memory without limit for nested
/// and empty containers, and cuts integers beyond 64 bits. What passes is JSON's tokens (RFC 8259); their order is
/// json-c's.
struct JSONScanner {
  /// Arrays and objects in each other.
  static let maxDepth = 100
  /// All values; each costs json-c about 100 bytes.
  static let maxValues = 500_000
  /// Arrays and objects; an empty one of 2 bytes costs json-c up to 1 KB.
  static let maxContainers = 100_000

  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0
  private var depth = 0
  private var containers = 0
  private var values = 1
  /// Where integers end that fit neither Int64 nor UInt64; ascending.
  private(set) var oversizedIntegerEnds: [Int] = []

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func scan() throws(MessageError) {
    switch bytes.baseAddress.map({ cm_check_text($0, bytes.count) }) {
    case CM_TEXT_EMBEDDED_NUL: throw .embeddedNUL(field: "")
    case CM_TEXT_INVALID_UTF8: throw .invalidUTF8(field: "")
    default: break
    }
    while position < bytes.count { try token() }
  }

  private mutating func token() throws(MessageError) {
    switch bytes[position] {
    case 0x20, 0x0a, 0x0d, 0x09, UInt8(ascii: ":"):
      position += 1
    case UInt8(ascii: ","):
      position += 1
      values += 1
      if values > Self.maxValues { throw .tooManyFields(field: "") }
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      position += 1
      depth += 1
      containers += 1
      if depth > Self.maxDepth { throw .tooDeep(field: "") }
      if containers > Self.maxContainers { throw .tooManyFields(field: "") }
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      position += 1
      depth -= 1
    case UInt8(ascii: "\""):
      try text()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      try number()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    default: throw unexpected()
    }
  }

  private mutating func text() throws(MessageError) {
    position += 1
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return
      case UInt8(ascii: "\\"):
        // json-c would cut a member's name there, and protobuf-c a text.
        if bytes[position...].starts(with: "\\u0000".utf8) { throw .embeddedNUL(field: "") }
        position += 2
      case 0..<0x20: throw .notJSON(offset: position, reason: "a control character in a text; escape it")
      default: position += 1
      }
    }
    throw .notJSON(offset: bytes.count, reason: "the text ends too early")
  }

  private mutating func literal(_ literal: StaticString) throws(MessageError) {
    for index in 0..<literal.utf8CodeUnitCount {
      guard position < bytes.count, bytes[position] == literal.utf8Start[index] else { throw unexpected() }
      position += 1
    }
  }

  /// RFC 8259 §6.
  private mutating func number() throws(MessageError) {
    let start = position
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    let firstDigit = position
    let count = try digits()
    if count > 1, bytes[firstDigit] == UInt8(ascii: "0") {
      throw .notJSON(offset: start, reason: "a number begins with 0")
    }
    let isInteger = position == bytes.count || ![".", "e", "E"].contains(Unicode.Scalar(bytes[position]))
    if isInteger {
      // 19 digits may be too many, and json-c would cut the number down to what fits.
      if count >= 19, !Self.fitsSixtyFourBits(bytes[start..<position]) { oversizedIntegerEnds.append(position) }
      return
    }
    if bytes[position] == UInt8(ascii: ".") {
      position += 1
      _ = try digits()
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
        position += 1
      }
      _ = try digits()
    }
  }

  private mutating func digits() throws(MessageError) -> Int {
    let start = position
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) { position += 1 }
    if position == start { throw unexpected() }
    return position - start
  }

  private static func fitsSixtyFourBits(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    let text = Substring(decoding: digits, as: UTF8.self)
    return Int64(text) != nil || UInt64(text) != nil
  }

  private func unexpected() -> MessageError {
    guard position < bytes.count else { return .notJSON(offset: position, reason: "the text ends too early") }
    let byte = bytes[position]
    let shown = byte < 0x80 ? JSONText.quoted(String(Unicode.Scalar(byte))) : "a character beyond ASCII"
    return .notJSON(offset: position, reason: "\(shown) is not expected here")
  }
}
