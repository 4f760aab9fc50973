import Testing

@testable import Control

@Suite("JSON values")
struct JSONSplitterTests {
  @Test(
    "objects are found one by one, with the line in which each begins",
    arguments: [
      ("{}", ["{}"], [1]), ("  {\"a\":1}\n", ["{\"a\":1}"], [1]), ("{}\n{}\n\n{}", ["{}", "{}", "{}"], [1, 2, 4]),
      ("[]", [], []), ("[ {\"a\":[{}]} ,\n{}]\n", ["{\"a\":[{}]}", "{}"], [1, 2]), ("{}{}", ["{}", "{}"], [1, 1]),
      ("{\"}\": \"{\\\"[\"}", ["{\"}\": \"{\\\"[\"}"], [1]), ("\u{FEFF}{}", ["{}"], [1]), ("", [], []),
      ("{\n\n}\n{}", ["{\n\n}", "{}"], [1, 4]),
    ])
  func splits(text: String, objects: [String], lines: [Int]) throws {
    let bytes = Array(text.utf8)
    let values = try JSONSplitter.split(bytes)
    #expect(values.map { String(decoding: bytes[$0.range], as: UTF8.self) } == objects)
    #expect(values.map(\.line) == lines)
  }

  @Test(
    "what is no list of objects is refused with line and column",
    arguments: [
      ("nonsense", "line 1, column 1: expected { at the start of a snapshot"),
      ("{}\n 7", "line 2, column 2: expected { at the start of a snapshot"),
      ("[{}\n{}]", "line 2, column 1: expected , or ] between snapshots"),
      ("[{}] {}", "line 1, column 6: nothing may follow the array"),
      ("\n{\"a\":\n1", "line 3, column 2: the text ends within the snapshot that begins in line 2"),
      ("{\"a", "line 1, column 4: the text ends within a string"),
      ("{\"a\n\"}", "line 1, column 4: a string is not closed in its line"),
      ("{\"\\", "line 1, column 4: the text ends within a string"),
      ("[", "line 1, column 2: expected { at the start of a snapshot"),
      ("[{},]", "line 1, column 5: expected { at the start of a snapshot"),
    ])
  func refuses(text: String, message: String) {
    #expect(throws: UsageError(message)) { try JSONSplitter.split(Array(text.utf8)) }
  }
}
