import ServiceKit

/// A row of a CSV file.
struct CSVRow: Sendable, Equatable {
  /// The line on which it begins, from 1.
  var line: Int
  var fields: [String]
}

/// Why a file can't be read any further.
struct CSVProblem: Error, Sendable, Equatable, CustomStringConvertible {
  let line: Int
  let reason: String

  var description: String { "line \(line): \(reason)" }
}

/// Takes a CSV file apart while it comes, in parts of any size (RFC 4180): fields in double quotes may hold commas, lines and
/// doubled quotes; lines end with CR LF, LF or CR. Blank lines count for nothing, and a byte order mark neither.
struct CSVParser: Sendable {
  static let fieldBytes = 1 << 20
  static let rowBytes = 4 << 20
  static let columns = 1_000

  private enum State { case fieldStart, plain, quoted, quoteInQuoted }

  private var state = State.fieldStart
  private var field: [UInt8] = []
  private var fields: [String] = []
  private var rowBytes = 0
  private var line = 1
  private var rowLine = 1
  private var isAfterCR = false
  private var isStart = true
  private var mark: [UInt8] = []

  /// - Parameter row: gets each row that is complete.
  mutating func feed(_ bytes: [UInt8], _ row: (CSVRow) throws -> Void) throws {
    for byte in bytes {
      if isStart, skipsMark(byte) { continue }
      if isAfterCR {
        isAfterCR = false
        if byte == UInt8(ascii: "\n"), state == .fieldStart { continue }
      }
      try take(byte, row)
    }
  }

  /// The last line may lack its end.
  mutating func finish(_ row: (CSVRow) throws -> Void) throws {
    if state == .quoted {
      throw CSVProblem(line: rowLine, reason: "a double quote is not closed before the file ends")
    }
    try endRow(row)
  }

  /// EF BB BF at the very beginning.
  private mutating func skipsMark(_ byte: UInt8) -> Bool {
    let expected: [UInt8] = [0xef, 0xbb, 0xbf]
    if mark.count < expected.count, byte == expected[mark.count] {
      mark.append(byte)
      if mark.count == expected.count { isStart = false }
      return true
    }
    isStart = false
    field += mark
    return false
  }

  private mutating func take(_ byte: UInt8, _ row: (CSVRow) throws -> Void) throws {
    let isEnd = byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    switch (state, byte) {
    case (.quoted, UInt8(ascii: "\"")): state = .quoteInQuoted
    case (.quoted, _):
      if byte == UInt8(ascii: "\n") { line += 1 }
      try append(byte)
    case (.quoteInQuoted, UInt8(ascii: "\"")):
      state = .quoted
      try append(byte)
    case (.fieldStart, UInt8(ascii: "\"")): state = .quoted
    case (_, UInt8(ascii: ",")): try endField()
    case _ where isEnd:
      try endRow(row)
      line += 1
      rowLine = line
      isAfterCR = byte == UInt8(ascii: "\r")
    case (.quoteInQuoted, _):
      throw CSVProblem(line: line, reason: "something follows a closing quote; double the quotes within a field")
    default:
      state = .plain
      try append(byte)
    }
  }

  private mutating func append(_ byte: UInt8) throws {
    field.append(byte)
    rowBytes += 1
    if field.count > Self.fieldBytes {
      throw CSVProblem(line: rowLine, reason: "a field has more than \(Self.fieldBytes) bytes; is a quote not closed?")
    }
    if rowBytes > Self.rowBytes {
      throw CSVProblem(line: rowLine, reason: "a row has more than \(Self.rowBytes) bytes")
    }
  }

  private mutating func endField() throws {
    guard let text = String(validating: field, as: UTF8.self), !hasNUL(text) else {
      throw CSVProblem(line: rowLine, reason: "is not UTF-8 text; save the file as UTF-8")
    }
    fields.append(text)
    field.removeAll(keepingCapacity: true)
    state = .fieldStart
    if fields.count > Self.columns { throw CSVProblem(line: rowLine, reason: "has more than \(Self.columns) fields") }
  }

  private mutating func endRow(_ row: (CSVRow) throws -> Void) throws {
    if state == .fieldStart, fields.isEmpty, field.isEmpty { return }
    try endField()
    defer {
      fields.removeAll(keepingCapacity: true)
      rowBytes = 0
    }
    try row(CSVRow(line: rowLine, fields: fields))
  }
}
