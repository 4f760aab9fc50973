import Testing

@testable import Commerce

@Suite("Searching by SKU")
struct SKUSearchTests {
  @Test("several SKUs are a list; one with a comma, which would end a value of it, is asked for alone")
  func commas() {
    let parts = SKUSearch.parts(of: ["A", "B,C", "D", ","])
    #expect(parts.map(\.skus) == [["B,C"], [","], ["A", "D"]])
    #expect(parts.map(\.filter.condition) == [.eq, .eq, .in])
    #expect(parts.map(\.filter.value) == ["B,C", ",", "A,D"])
    #expect(parts.allSatisfy { $0.filter.field == "sku" })
    #expect(SKUSearch.parts(of: [String]()).isEmpty)
  }

  @Test("a part has so many SKUs at most")
  func count() {
    let skus = (1...7).map { "P-\($0)" }
    #expect(
      SKUSearch.parts(of: skus, atMost: 3).map(\.skus) == [["P-1", "P-2", "P-3"], ["P-4", "P-5", "P-6"], ["P-7"]])
  }

  @Test("a part fits into a URL, however its SKUs are written there", arguments: ["x", "ü", "/"])
  func bytes(letter: String) {
    let skus = (0..<200).map { String(repeating: letter, count: 60) + "\($0)" }
    let parts = SKUSearch.parts(of: skus)
    #expect(parts.flatMap(\.skus) == skus)
    for (part, next) in zip(parts, parts.dropFirst()) {
      let bytes = { (skus: [String]) in CommerceClient.path(skus.joined(separator: ",")).utf8.count }
      #expect(bytes(part.skus) <= SKUSearch.bytes && bytes(part.skus + [next.skus[0]]) > SKUSearch.bytes - 3)
    }
    // One that is longer by itself is asked for all the same.
    let long = String(repeating: letter, count: 5_000)
    #expect(SKUSearch.parts(of: ["a", long, "b"]).map(\.skus) == [["a"], [long], ["b"]])
  }
}
