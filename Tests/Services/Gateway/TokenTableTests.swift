import Testing

@testable import Gateway

@Suite("Table of tokens")
struct TokenTableTests {
  private static let token = "0123456789abcdefghij"
  private static let other = "ABCDEFGHIJ-._~+/0123="

  private func owner(_ token: String, in text: String) throws -> String? {
    try TokenTable(parsing: text).owner(of: token.utf8)
  }

  @Test("a token a line, with or without a name; comments, blanks and empty lines do not count")
  func parses() throws {
    let text = "# for the shop\n\n shop:\t\(Self.token) \r\n\(Self.other)\n#\(Self.other)\n"
    #expect(try owner(Self.token, in: text) == "shop")
    #expect(try owner(Self.other, in: text) == "line 4")
  }

  @Test(
    "what is not a token of the file opens nothing",
    arguments: ["", "0123456789abcdefghi", "0123456789abcdefghijk", "0123456789abcdefghiJ", "shop", "shop:" + token])
  func wrong(token: String) throws {
    #expect(try owner(token, in: "shop:\(Self.token)\n") == nil)
  }

  @Test("a token that is longer than any can be opens nothing")
  func tooLong() throws {
    #expect(try owner(String(repeating: "a", count: 1 << 20), in: Self.token) == nil)
  }

  static let bad: [(text: String, error: String)] = [
    ("", "has no token"), ("# nothing\n\n", "has no token"),
    ("shop:0123456789abcdefghi", "line 1: the token has 19 characters; allowed are 20 to 512"),
    ("\nshop:", "line 2: the token has 0 characters"), (":\(token)", "line 1: the name"),
    ("a:b:\(token)", "line 1: more than one colon"), ("Bearer \(token)", "line 1: a token is made of letters"),
    ("\(token)ü", "line 1: a token is made of letters"), (String(repeating: "a", count: 513), "513 characters"),
    ("a:\(token)\nb:\(token)", "one token twice, for a and b"),
  ]

  @Test("a line that can't be used is named by its number, and its text is not shown", arguments: bad)
  func refuses(bad: (text: String, error: String)) {
    let error = #expect(throws: TokenTable.FormatError.self) { try TokenTable(parsing: bad.text) }
    let text = error?.description ?? ""
    #expect(text.contains(bad.error))
    #expect(!text.contains(Self.token))
  }

  @Test("a thousand tokens are the most")
  func limit() throws {
    let lines = (0..<TokenTable.tokenLimit).map { "token-number-\(1_000_000 + $0)" }
    #expect(try TokenTable(parsing: lines.joined(separator: "\n")).entries.count == TokenTable.tokenLimit)
    #expect(throws: TokenTable.FormatError.self) {
      try TokenTable(parsing: (lines + [Self.token]).joined(separator: "\n"))
    }
  }
}
