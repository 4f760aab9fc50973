import Testing

@testable import Gateway

@Suite("Who calls, for the journal")
struct CallerTests {
  @Test(
    "it is kept who they are, and beside it who they say that they are",
    arguments: [
      ("support", "anna", "support (as anna)"), ("support", "", "support"), ("anna", "anna", "anna"),
      (nil, "anna", "anna (unverified)"), (nil, "", ""),
    ] as [(String?, String, String)])
  func audited(name: String?, claimed: String, expected: String) {
    #expect(Caller(name: name).audited(as: claimed) == expected)
  }
}
