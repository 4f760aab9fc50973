/// Reads CSV (RFC 4180): fields between commas, in quotes when they have commas, quotes or line ends in them, a quote written
/// twice; lines that end with LF or CRLF. UTF-8, with or without a byte order mark.
struct CSVReader {
  /// More than any real file has; a file whose quote is not closed would be one field.
  static let fieldBytes = 64 << 10
  static let fieldCount = 100

  struct Record: Equatable {
    /// Where it begins, from 1.
    let line: Int
    let fields: [String]
  }

  private let bytes: [UInt8]
  private var position = 0
  private var line = 1

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// The next line that is not empty; nil at the end.
  mutating func next() throws(UsageError) -> Record? {
    while let byte = peek(), byte == 0x0A || byte == 0x0D { endLine() }
    guard peek() != nil else { return nil }
    let start = line
    var fields: [String] = []
    while true {
      fields.append(try field())
      guard fields.count <= Self.fieldCount else { throw problem(start, "more than \(Self.fieldCount) columns") }
      guard peek() == UInt8(ascii: ",") else { break }
      position += 1
    }
    endLine()
    return Record(line: start, fields: fields)
  }

  private mutating func field() throws(UsageError) -> String {
    var text: [UInt8] = []
    let start = line
    if peek() == UInt8(ascii: "\"") {
      try quoted(into: &text, start)
    } else {
      while let byte = peek(), byte != UInt8(ascii: ","), byte != 0x0A, byte != 0x0D {
        if byte == UInt8(ascii: "\"") {
          throw problem(line, "a quote within a field; put the field in quotes, and write \"\" for it")
        }
        try append(byte, to: &text, start)
      }
    }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw problem(start, "not UTF-8; save the file as UTF-8")
    }
    if text.contains(where: { $0 < 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }) {
      throw problem(start, "a control character")
    }
    return string
  }

  private mutating func quoted(into text: inout [UInt8], _ start: Int) throws(UsageError) {
    position += 1
    while let byte = peek() {
      if byte == UInt8(ascii: "\"") {
        position += 1
        guard peek() == UInt8(ascii: "\"") else {
          let end = peek()
          guard end == nil || end == UInt8(ascii: ",") || end == 0x0A || end == 0x0D else {
            throw problem(line, "text behind a closing quote; write \"\" for a quote within quotes")
          }
          return
        }
      } else if byte == 0x0A {
        line += 1
      }
      try append(byte, to: &text, start)
    }
    throw problem(start, "a quote is not closed")
  }

  private mutating func append(_ byte: UInt8, to text: inout [UInt8], _ start: Int) throws(UsageError) {
    text.append(byte)
    position += 1
    if text.count > Self.fieldBytes {
      throw problem(start, "a field longer than \(Self.fieldBytes >> 10) KiB; is a quote not closed?")
    }
  }

  private mutating func endLine() {
    if peek() == 0x0D { position += 1 }
    if peek() == 0x0A { position += 1 }
    line += 1
  }

  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private func problem(_ line: Int, _ text: String) -> UsageError { UsageError("line \(line): \(text)") }
}
