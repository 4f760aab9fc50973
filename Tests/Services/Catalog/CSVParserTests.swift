import Testing

@testable import Catalog

@Suite("Taking CSV apart")
struct CSVParserTests {
  /// The rows of a text that comes in parts of so many bytes.
  private func rows(_ text: String, parts: Int = .max) throws -> [CSVRow] {
    var parser = CSVParser()
    var rows: [CSVRow] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: min(parts, max(bytes.count, 1))) {
      try parser.feed(Array(bytes[start..<min(bytes.count, start + min(parts, bytes.count))])) { rows.append($0) }
    }
    try parser.finish { rows.append($0) }
    return rows
  }

  @Test(
    "fields, quotes, lines and their ends, in parts of any size",
    arguments: [
      ("a,b\n1,2\n", [(1, ["a", "b"]), (2, ["1", "2"])]),
      ("a,b\r\n1,2", [(1, ["a", "b"]), (2, ["1", "2"])]),
      ("a\r1\r", [(1, ["a"]), (2, ["1"])]),
      ("\u{FEFF}sku\n\nÄ\n", [(1, ["sku"]), (3, ["Ä"])]),
      ("\"a\"\"b\",\"c,d\ne\",\n\"\",x,\"\"\n", [(1, ["a\"b", "c,d\ne", ""]), (3, ["", "x", ""])]),
      ("a\"b,c d\"\n", [(1, ["a\"b", "c d\""])]),
      (",\n", [(1, ["", ""])]), ("", []), ("\n\r\n\n", []),
    ] as [(String, [(Int, [String])])])
  func fields(text: String, expected: [(line: Int, fields: [String])]) throws {
    for parts in [1, 2, 3, 7, Int.max] {
      #expect(try rows(text, parts: parts) == expected.map { CSVRow(line: $0.line, fields: $0.fields) })
    }
  }

  @Test(
    "what can't be taken apart says on which line",
    arguments: [
      ("a\n\"b\nc\n", 2, "not closed"), ("a\n\"b\"c\n", 2, "closing quote"), ("a\n\0\n", 2, "not UTF-8"),
      (String(repeating: ",", count: CSVParser.columns), 1, "fields"),
      ("a\n" + String(repeating: "b", count: CSVParser.fieldBytes + 1), 2, "bytes"),
      (
        String(repeating: String(repeating: "b", count: CSVParser.fieldBytes) + ",", count: 5), 1, "row has more than"
      ),
    ])
  func problems(text: String, line: Int, reason: String) {
    let problem = #expect(throws: CSVProblem.self) { try rows(text) }
    #expect(problem?.line == line)
    #expect(problem?.reason.contains(reason) == true)
  }
}
