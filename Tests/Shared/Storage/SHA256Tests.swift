import Testing

@testable import Storage

@Suite("SHA-256 of parts")
struct SHA256Tests {
  @Test("is the digest of the parts with their lengths before them")
  func known() {
    // SHA-256 of eight zero bytes: one empty part.
    #expect(
      SHA256.digest(ofParts: [[]]).prefix(8) == [0xaf, 0x55, 0x70, 0xf5, 0xa1, 0x81, 0x0b, 0x7a])
    #expect(SHA256.digest(ofParts: [[1], [2]]).count == 32)
  }

  @Test("tells apart what only differs in where a part ends")
  func ends() {
    let digests = [[[1, 2], [3]], [[1], [2, 3]], [[1, 2, 3], []], [[], [1, 2, 3]], [[1, 2, 3]]].map {
      SHA256.digest(ofParts: $0)
    }
    #expect(Set(digests).count == digests.count)
  }
}
