import EventLoop
import Testing

@testable import RPC

@Suite struct GzipTests {
  private static let limit = 4 << 20

  @Test("any bytes come back, with one state for all of them", arguments: [2, 100, 65_535, 65_537, 1 << 20, 4 << 20])
  func roundTrip(count: Int) throws {
    let gzip = Gzip()
    for step in 1...3 {
      var bytes = [UInt8](repeating: UInt8(step), count: count)
      for index in stride(from: 0, to: count, by: 1001) { bytes[index] = UInt8(truncatingIfNeeded: index / 1001) }
      guard let compressed = gzip.compress(bytes) else {
        #expect(count < 100)
        return
      }
      #expect(compressed.count < count)
      #expect(try gzip.bytes(compressed, limit: Self.limit) == bytes)
    }
  }

  @Test("what gzip makes no smaller is left as it is")
  func incompressible() {
    var state: UInt64 = 1
    let bytes = (0..<10_000).map { _ -> UInt8 in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    }
    #expect(Gzip().compress(bytes) == nil)
    #expect(Gzip().compress([]) == nil)
  }

  @Test("several members after each other are one message")
  func members() throws {
    let gzip = Gzip()
    let (first, second) = ([UInt8](repeating: 1, count: 1000), [UInt8](repeating: 2, count: 1000))
    let both = try #require(gzip.compress(first)) + #require(gzip.compress(second))
    #expect(try gzip.bytes(both, limit: 2000) == first + second)
    let error = #expect(throws: RPCError.self) { try gzip.bytes(both, limit: 1999) }
    #expect(error?.code == .resourceExhausted)
  }

  @Test("a bomb ends at the limit, however it is packed", arguments: [1, 64])
  func bomb(members: Int) throws {
    let gzip = Gzip()
    let member = try #require(gzip.compress([UInt8](repeating: 0, count: (16 << 20) / members)))
    let bomb = Array((0..<members).map { _ in member }.joined())
    #expect(bomb.count < 128 << 10)
    let error = #expect(throws: RPCError.self) { try gzip.bytes(bomb, limit: Self.limit) }
    #expect(error?.code == .resourceExhausted)
    #expect(error?.message.contains("\(Self.limit) bytes") == true)
    #expect(gzip.inflatedCapacity <= Self.limit + 1)
    // The state is of use after it.
    #expect(try gzip.bytes(#require(gzip.compress([UInt8](repeating: 7, count: 100))), limit: 100).count == 100)
    #expect(gzip.inflatedCapacity <= 64 << 10)
  }

  @Test("a message of exactly the limit is let in, one more byte is not")
  func limit() throws {
    let gzip = Gzip()
    let compressed = try #require(gzip.compress([UInt8](repeating: 0, count: 100_000)))
    #expect(try gzip.bytes(compressed, limit: 100_000).count == 100_000)
    #expect(throws: RPCError.self) { try gzip.bytes(compressed, limit: 99_999) }
  }

  @Test("what is cut off anywhere, has a tail or is not gzip is INTERNAL")
  func malformed() throws {
    let gzip = Gzip()
    let whole = try #require(gzip.compress(Array("abcabcabcabcabcabcabcabcabcabcabcabc".utf8)))
    var hostile = (0..<whole.count).map { Array(whole[..<$0]) }
    hostile += [whole + [0], whole + [0x1f], whole + whole.dropLast(), Array("no gzip at all".utf8)]
    // The checksum and the length behind the data (RFC 1952 §2.3.1).
    for index in (whole.count - 8)..<whole.count {
      var broken = whole
      broken[index] ^= 0x40
      hostile.append(broken)
    }
    for bytes in hostile {
      let error = #expect(throws: RPCError.self, "\(bytes)") { try gzip.bytes(bytes, limit: Self.limit) }
      #expect(error?.code == .internalError)
    }
    #expect(try gzip.bytes(whole, limit: Self.limit).count == 36)
  }

  @Test("random bytes neither stop the process nor pass the limit")
  func randomBytes() throws {
    let gzip = Gzip()
    let whole = try #require(gzip.compress((0..<5000).map { UInt8(truncatingIfNeeded: $0 / 7) }))
    var state: UInt64 = 42
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for _ in 0..<2000 {
      var bytes = whole
      for _ in 0...random(4) { bytes[random(bytes.count)] = UInt8(truncatingIfNeeded: random(256)) }
      if let result = try? gzip.bytes(bytes, limit: 6000) { #expect(result.count <= 6000) }
    }
  }

  @Test(
    "gzip is found in a list of encodings, as a whole word",
    arguments: [
      ("gzip", true), ("identity, deflate, gzip", true), ("identity,gzip", true), (" gzip ,identity", true),
      ("", false),
      ("gzip2", false), ("xgzip", false), ("deflate", false), ("identity,,gzip", true),
    ])
  func lists(text: String, expected: Bool) {
    #expect(Array(text.utf8).withUnsafeBufferPointer { MessageEncoding.listsGzip($0) } == expected)
  }
}

extension Gzip {
  /// Nil when that makes it no smaller.
  func compress(_ bytes: [UInt8]) -> [UInt8]? {
    let plain = plainMessage(count: bytes.count)
    bytes.withUnsafeBytes { if let base = $0.baseAddress { plain.copyMemory(from: base, byteCount: bytes.count) } }
    var output = [UInt8](repeating: 0, count: bytes.count + 1)
    let count = output.withUnsafeMutableBytes { deflatePlainMessage(count: bytes.count, to: $0.baseAddress!) }
    return count.map { Array(output[..<$0]) }
  }

  func bytes(_ compressed: [UInt8], limit: Int) throws -> [UInt8] {
    try compressed.withUnsafeBytes { [UInt8](try inflate($0, limit: limit)) }
  }
}
