import ServiceKit
import Testing

@Suite struct PageTokenTests {
  @Test(
    "a token leads back to its place",
    arguments: ["a", "24-MB01 blue", "Straße 🛒", String(repeating: "x", count: 1_024)])
  func tokens(place: String) {
    let token = PageToken.encode(after: place, of: "EU")
    #expect(PageToken.decode(token, of: "EU") == place)
    #expect(PageToken.decode(token, of: "US") == nil, "a token belongs to its list")
    #expect(token.utf8.allSatisfy { $0 < 0x80 && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "+") })
  }

  @Test("what is no token is refused", arguments: ["a", "24-MB01", "====", "AAAAAAAAAAAAAAAA", "🛒", " ", "AQ"])
  func garbage(token: String) {
    #expect(PageToken.decode(token, of: "EU") == nil)
  }

  @Test("a token with one character changed is refused")
  func changed() {
    let token = Array(PageToken.encode(after: "24-MB01", of: "EU"))
    for index in token.indices {
      var other = token
      other[index] = token[index] == "A" ? "B" : "A"
      #expect(PageToken.decode(String(other), of: "EU") == nil)
    }
  }
}
