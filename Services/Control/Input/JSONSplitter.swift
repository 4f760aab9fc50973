/// Cuts a text into the JSON objects that it holds: one, an array of them, or one behind the other (one a line).
///
/// It finds where each begins and ends and leaves the rest of JSON to the message's parser. That one cannot do this part:
/// it makes a tree of a whole document, 500 000 values at most, and a file may hold a million rows.
struct JSONSplitter {
  struct Value: Equatable {
    /// Where in the bytes.
    let range: Range<Int>
    /// Where it begins, from 1.
    let line: Int
  }

  /// Objects in the order of the text.
  static func split(_ bytes: [UInt8]) throws(UsageError) -> [Value] {
    var scanner = JSONSplitter(bytes)
    return try scanner.values()
  }

  private let bytes: [UInt8]
  private var position = 0
  private var line = 1
  private var lineStart = 0

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
    // A byte order mark, which Windows tools write.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  private mutating func values() throws(UsageError) -> [Value] {
    skipBlanks()
    var found: [Value] = []
    guard peek() == UInt8(ascii: "[") else {
      while peek() != nil {
        found.append(try object())
        skipBlanks()
      }
      return found
    }
    position += 1
    skipBlanks()
    if peek() != UInt8(ascii: "]") {
      repeat {
        skipBlanks()
        found.append(try object())
        skipBlanks()
      } while take(UInt8(ascii: ","))
    }
    guard take(UInt8(ascii: "]")) else { throw problem("expected , or ] between snapshots") }
    skipBlanks()
    guard peek() == nil else { throw problem("nothing may follow the array") }
    return found
  }

  /// From { to its }, strings skipped.
  private mutating func object() throws(UsageError) -> Value {
    guard peek() == UInt8(ascii: "{") else { throw problem("expected { at the start of a snapshot") }
    let start = position, startLine = line
    var depth = 0
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""): try skipString()
      case UInt8(ascii: "\n"): newLine()
      default: break
      }
      position += 1
      if depth == 0 { return Value(range: start..<position, line: startLine) }
    }
    throw problem("the text ends within the snapshot that begins in line \(startLine)")
  }

  /// From the opening quote to the closing one.
  private mutating func skipString() throws(UsageError) {
    position += 1
    while let byte = peek(), byte != UInt8(ascii: "\"") {
      if byte == UInt8(ascii: "\n") { throw problem("a string is not closed in its line") }
      position += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    guard peek() != nil else { throw problem("the text ends within a string") }
  }

  private mutating func skipBlanks() {
    while let byte = peek(), byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
      if byte == 0x0A { newLine() }
      position += 1
    }
  }

  private mutating func newLine() {
    line += 1
    lineStart = position + 1
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private func problem(_ text: String) -> UsageError {
    UsageError("line \(line), column \(min(position, bytes.count) - lineStart + 1): \(text)")
  }
}
