import Testing

@testable import HTTP

@Suite struct HMACTests {
  /// RFC 2202 §3, test cases 1 to 7.
  static let vectors: [(key: [UInt8], message: [UInt8], digest: String)] = [
    (.init(repeating: 0x0b, count: 20), Array("Hi There".utf8), "b617318655057264e28bc0b6fb378c8ef146be00"),
    (Array("Jefe".utf8), Array("what do ya want for nothing?".utf8), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    (.init(repeating: 0xaa, count: 20), .init(repeating: 0xdd, count: 50), "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
    (Array(1...25), .init(repeating: 0xcd, count: 50), "4c9007f4026250c6bc8414f9bf50c86c2d7235da"),
    (.init(repeating: 0x0c, count: 20), Array("Test With Truncation".utf8), "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"),
    (
      .init(repeating: 0xaa, count: 80), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
      "aa4ae5e15272d00e95705637ce8a3b55ed402112"
    ),
    (
      .init(repeating: 0xaa, count: 80),
      Array("Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data".utf8),
      "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"
    ),
    ([], [], "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d"),
  ]

  @Test("HMAC-SHA1 gives the digests of RFC 2202", arguments: vectors)
  func vector(key: [UInt8], message: [UInt8], digest: String) {
    #expect(HMAC.sha1Hex(key: key, message: message) == digest)
  }

  @Test("an empty key is not the key of the call before")
  func emptyKey() {
    let before = HMAC.sha1Hex(key: [1, 2, 3], message: [4])
    #expect(HMAC.sha1Hex(key: [], message: [4]) != before)
  }

  @Test(
    "comparison",
    arguments: [([1, 2], [1, 2], true), ([1, 2], [1, 3], false), ([1], [1, 2], false), ([], [], true)]
      as [([UInt8], [UInt8], Bool)])
  func comparison(a: [UInt8], b: [UInt8], equal: Bool) {
    #expect(HMAC.equalInConstantTime(a, b) == equal)
  }
}
