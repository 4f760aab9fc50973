import ServiceKit
import Testing

@testable import Commerce

@Suite("What the shop is shown")
struct CommerceCredentialsTests {
  @Test("OAuth 1.0a signs method, URL and query with HMAC-SHA256")
  func oauth1() {
    let credentials = CommerceCredentials.oauth1(
      .init(
        consumerKey: "dpf43f3p2l4k3l03", consumerSecret: Secret("kd94hf93k423kf44&"), token: Secret("nnch734d00sl2jdk"),
        tokenSecret: Secret("pfkkdhi9sl3r4s00")))
    let header = credentials.authorization(
      method: "GET", url: "https://shop.example/rest/all/V1/orders",
      query: [
        ("searchCriteria[filter_groups][0][filters][0][value]", "a b/ü&=+"), ("searchCriteria[pageSize]", "20"),
        ("a", "2"),
        ("a", "1"),
      ], nonce: "kllo9940pd9333jh", timestamp: 1_191_242_096)
    // Calculated with Python's hmac.
    #expect(header.contains(#"oauth_signature="wIB%2F5wC5emLQwQC0hLrTLHEpzeIabfC5T%2BsiW%2FAW3yM%3D""#))
    #expect(header.hasPrefix(#"OAuth oauth_consumer_key="dpf43f3p2l4k3l03", "#))
    #expect(!header.contains("kd94hf93k423kf44") && !header.contains("pfkkdhi9sl3r4s00"))
  }

  @Test("an access token alone is a Bearer token")
  func bearer() {
    let header = CommerceCredentials.bearer(Secret("t")).authorization(
      method: "GET", url: "", query: [], nonce: "", timestamp: 0)
    #expect(header == "Bearer t")
  }
}
