/// A statement's parameters as PostgreSQL writes them: `$1` for `?1`.
struct Placeholders: Equatable {
  let sql: String
  /// The highest number.
  private(set) var count = 0

  /// The most that PostgreSQL's protocol can carry.
  static let maximum = 65_535

  /// - Parameter sql: with `?1`, `?2`, …; those in quotes, in quoted names and in comments are left alone.
  /// - Throws: ``StorageError`` for a `?` without a number from 1 to ``maximum`` behind it.
  init(_ sql: String) throws(StorageError) {
    var scanner = Scanner(bytes: Array(sql.utf8))
    while let byte = scanner.peek {
      switch byte {
      case UInt8(ascii: "?"): count = max(count, try scanner.placeholder())
      case UInt8(ascii: "'"): scanner.quoted(byte, backslashes: scanner.isEscapeString)
      case UInt8(ascii: "\""): scanner.quoted(byte, backslashes: false)
      case UInt8(ascii: "-") where scanner.peek(1) == byte: scanner.lineComment()
      case UInt8(ascii: "/") where scanner.peek(1) == UInt8(ascii: "*"): scanner.blockComment()
      case UInt8(ascii: "$"): scanner.dollarQuoted()
      default: scanner.copy()
      }
    }
    self.sql = String(decoding: scanner.output, as: UTF8.self)
  }
}

/// Goes through a statement once (PostgreSQL's manual, §4.1) and writes it down anew.
private struct Scanner {
  let bytes: [UInt8]
  var position = 0
  var output: [UInt8] = []

  init(bytes: [UInt8]) {
    self.bytes = bytes
    output.reserveCapacity(bytes.count)
  }

  var peek: UInt8? { peek(0) }

  func peek(_ offset: Int) -> UInt8? {
    let index = position + offset
    return bytes.indices.contains(index) ? bytes[index] : nil
  }

  mutating func copy(_ count: Int = 1) {
    let end = min(position + count, bytes.count)
    output += bytes[position..<end]
    position = end
  }

  mutating func placeholder() throws(StorageError) -> Int {
    var number = 0
    var length = 1
    while let byte = peek(length), isDigit(byte), number <= Placeholders.maximum {
      number = number * 10 + Int(byte - UInt8(ascii: "0"))
      length += 1
    }
    guard (1...Placeholders.maximum).contains(number) else {
      throw StorageError(
        .other, "a parameter has no number from 1 to \(Placeholders.maximum)",
        statement: String(decoding: bytes, as: UTF8.self), remedy: "write ?1, ?2 and so on")
    }
    output.append(UInt8(ascii: "$"))
    output += String(number).utf8
    position += length
    return number
  }

  /// Up to the closing quote; a doubled one begins the next part, which is as good.
  mutating func quoted(_ quote: UInt8, backslashes: Bool) {
    copy()
    while let byte = peek {
      if backslashes && byte == UInt8(ascii: "\\") { copy(2) } else { copy() }
      if byte == quote { return }
    }
  }

  /// Whether the quote here is the one of `E'…'`.
  var isEscapeString: Bool {
    guard let last = output.last, last | 0x20 == UInt8(ascii: "e") else { return false }
    return output.count < 2 || !isNameByte(output[output.count - 2])
  }

  mutating func lineComment() {
    while let byte = peek {
      copy()
      if byte == UInt8(ascii: "\n") { return }
    }
  }

  mutating func blockComment() {
    var depth = 0
    while let byte = peek {
      if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
        depth += 1
        copy(2)
      } else if byte == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
        depth -= 1
        copy(2)
        if depth == 0 { return }
      } else {
        copy()
      }
    }
  }

  /// `$tag$…$tag$`, or a dollar that is none.
  mutating func dollarQuoted() {
    var length = 1
    while let byte = peek(length), isNameByte(byte) { length += 1 }
    let isPartOfName = output.last.map(isNameByte) ?? false
    guard peek(length) == UInt8(ascii: "$"), !isPartOfName, peek(1).map({ !isDigit($0) }) ?? false else {
      return copy()
    }
    let tag = Array(bytes[position...position + length])
    copy(tag.count)
    while peek != nil {
      if bytes[position...].starts(with: tag) { return copy(tag.count) }
      copy()
    }
  }

  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private func isNameByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}
