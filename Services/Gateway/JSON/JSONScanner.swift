/// Goes through a JSON text and checks it against RFC 8259, without recursion and without building anything.
struct JSONScanner {
  /// As deep as a protobuf message may be nested.
  static let maxDepth = 100

  private let bytes: ArraySlice<UInt8>
  private(set) var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  var isAtEnd: Bool { position == bytes.endIndex }
  var peek: UInt8? { isAtEnd ? nil : bytes[position] }

  mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  mutating func takeIfNext(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    position += 1
    return true
  }

  mutating func take(_ byte: UInt8) throws(JSONSyntaxError) {
    if !takeIfNext(byte) { throw unexpected }
  }

  /// - Returns: the bytes of the value that begins here.
  mutating func skipValue() throws(JSONSyntaxError) -> ArraySlice<UInt8> {
    let start = position
    // What closes each open object or array.
    var closers: [UInt8] = []
    repeat {
      skipSpace()
      switch peek {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        let closer = peek == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]")
        position += 1
        guard closers.count < Self.maxDepth else { throw .tooDeep(limit: Self.maxDepth) }
        closers.append(closer)
        skipSpace()
        if peek != closer {
          if closer == UInt8(ascii: "}") { try skipName() }
          continue
        }
      case UInt8(ascii: "\""): _ = try skipString()
      case UInt8(ascii: "t"): try skipWord("true")
      case UInt8(ascii: "f"): try skipWord("false")
      case UInt8(ascii: "n"): try skipWord("null")
      default: try skipNumber()
      }
      try closeFinished(&closers)
    } while !closers.isEmpty
    return bytes[start..<position]
  }

  /// After a value: closes what ends here, up to the comma before the next value.
  private mutating func closeFinished(_ closers: inout [UInt8]) throws(JSONSyntaxError) {
    while let closer = closers.last {
      skipSpace()
      if takeIfNext(closer) {
        closers.removeLast()
        continue
      }
      try take(UInt8(ascii: ","))
      if closer == UInt8(ascii: "}") { try skipName() }
      return
    }
  }

  private mutating func skipName() throws(JSONSyntaxError) {
    skipSpace()
    _ = try skipString()
    skipSpace()
    try take(UInt8(ascii: ":"))
  }

  /// - Returns: the string with its quotes.
  mutating func skipString() throws(JSONSyntaxError) -> ArraySlice<UInt8> {
    let start = position
    try take(UInt8(ascii: "\""))
    while true {
      guard let byte = peek else { throw .unexpectedEnd }
      guard byte >= 0x20 else { throw unexpected }
      position += 1
      if byte == UInt8(ascii: "\"") { return bytes[start..<position] }
      if byte == UInt8(ascii: "\\") { try skipEscape() }
    }
  }

  private mutating func skipEscape() throws(JSONSyntaxError) {
    switch peek {
    case UInt8(ascii: "u"):
      position += 1
      for _ in 0..<4 {
        guard let digit = peek, JSONString.hexadecimal(digit) != nil else { throw unexpected }
        position += 1
      }
    case .some(let byte) where JSONString.escape(byte) != nil: position += 1
    default: throw unexpected
    }
  }

  private mutating func skipWord(_ word: StaticString) throws(JSONSyntaxError) {
    for index in 0..<word.utf8CodeUnitCount { try take(word.utf8Start[index]) }
  }

  private mutating func skipNumber() throws(JSONSyntaxError) {
    _ = takeIfNext(UInt8(ascii: "-"))
    // No zero in front of other digits.
    if !takeIfNext(UInt8(ascii: "0")) { try skipDigits() }
    if takeIfNext(UInt8(ascii: ".")) { try skipDigits() }
    if takeIfNext(UInt8(ascii: "e")) || takeIfNext(UInt8(ascii: "E")) {
      if !takeIfNext(UInt8(ascii: "+")) { _ = takeIfNext(UInt8(ascii: "-")) }
      try skipDigits()
    }
  }

  private mutating func skipDigits() throws(JSONSyntaxError) {
    let start = position
    while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
    guard position > start else { throw unexpected }
  }

  private var unexpected: JSONSyntaxError { isAtEnd ? .unexpectedEnd : .unexpected(offset: position) }
}
