import Messages
import Testing

@Suite("Bytes from a peer that means no good")
struct HostileBytesTests {
  private static func nested(_ levels: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<levels { bytes = field(2, bytes) }
    return bytes
  }

  @Test("100 levels of messages pass, 101 and 10 000 are refused before protobuf-c recurses into them")
  func depth() throws {
    #expect(throws: Never.self) { try Fixtures.V1.Tree(serialized: Self.nested(100)) }
    for levels in [101, 10_000] {
      #expect(throws: MessageError.tooDeep(field: "fixtures.v1.Tree.children")) {
        try Fixtures.V1.Tree(serialized: Self.nested(levels))
      }
    }
  }

  @Test(
    "text that is not UTF-8 is refused",
    arguments: [
      [0xff], [0x80], [0xc3], [0xc0, 0xaf], [0xc1, 0xbf], [0xe2, 0x82], [0xe0, 0x9f, 0xbf], [0xed, 0xa0, 0x80],
      [0xf0, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xf0, 0x9f, 0x99],
    ] as [[UInt8]])
  func invalidUTF8(text: [UInt8]) {
    // In a word of its own, across two words, and at the end of a long text: the check goes by words of 8 bytes.
    for prefix in [0, 1, 5, 7, 8, 15, 20] {
      for suffix in [0, 1, 9] {
        let padded = Array(repeating: UInt8(ascii: "a"), count: prefix) + text + Array(repeating: 0x62, count: suffix)
        #expect(throws: MessageError.invalidUTF8(field: "fixtures.v1.Tree.name")) {
          try Fixtures.V1.Tree(serialized: field(1, padded))
        }
      }
    }
  }

  @Test("all characters of Unicode pass")
  func validUTF8() throws {
    var text = ""
    for value in UInt32(1)...0x10ffff where value < 0x3000 || value % 251 == 0 || value > 0x10fff0 {
      if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
    }
    #expect(try Fixtures.V1.Tree(serialized: Fixtures.V1.Tree(name: text).serialized()).name == text)
  }

  @Test("a NUL in a text is refused wherever it stands, also in a map's key")
  func embeddedNUL() {
    for length in 1...20 {
      for position in 0..<length {
        var text = Array(repeating: UInt8(ascii: "a"), count: length)
        text[position] = 0
        #expect(throws: MessageError.embeddedNUL(field: "fixtures.v1.Tree.name")) {
          try Fixtures.V1.Tree(serialized: field(1, text))
        }
      }
    }
    let entry = field(6, field(1, [0x61, 0]) + field(2, [0x62]))
    #expect(throws: MessageError.embeddedNUL(field: "magento.oms.v1.RemoteRegister.LabelsEntry.key")) {
      try Magento.Oms.V1.RemoteRegister(serialized: entry)
    }
  }

  @Test(
    "what is not protobuf is refused with the field's name",
    arguments: [
      ([0x00, 0x00], ""),  // field number 0
      ([0x0b], ".name"),  // a group
      ([0x0e], ".name"), ([0x0f], ".name"),  // wire types that do not exist
      ([0x08, 0x01], ".name"),  // a number for a text
      ([0x0a], ".name"), ([0x0a, 0x02, 0x61], ".name"),  // cut off
      ([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], ".name"),  // 4 GiB
      ([0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], ".name"),  // a length of 6 bytes
      ([0xff, 0xff, 0xff, 0xff, 0xff, 0x01], ""),  // a tag of 6 bytes
      ([0x18] + Array(repeating: 0x80, count: 10) + [0x01], ""),  // a number of 11 bytes in an unknown field
      ([0x1d, 0, 0, 0], ""), ([0x19, 0, 0, 0, 0], ""),  // cut off in unknown fields
    ] as [([UInt8], String)])
  func malformed(bytes: [UInt8], fieldName: String) {
    #expect { try Fixtures.V1.Tree(serialized: bytes) } throws: { error in
      guard case MessageError.malformed(let field, _) = error else { return false }
      return field == "fixtures.v1.Tree" + fieldName
    }
  }

  @Test("packed numbers that end in the middle are refused")
  func malformedPacked() {
    // int32s = 32, fixed64s = 34
    for bytes in [[0x82, 0x02, 1, 0x80], [0x92, 0x02, 3, 0, 0, 0]] as [[UInt8]] {
      #expect(throws: MessageError.self) { try Fixtures.V1.AllTypes(serialized: bytes) }
    }
  }

  @Test("4 MiB of two-byte fields are refused, known, unknown and packed ones")
  func tooManyFields() {
    let limit = 500_000
    func pairs(_ first: UInt8, _ second: UInt8, count: Int) -> [UInt8] {
      (0..<2 * count).map { $0 % 2 == 0 ? first : second }
    }
    #expect(throws: Never.self) { try Fixtures.V1.Tree(serialized: pairs(0x78, 0x01, count: limit)) }
    #expect(throws: MessageError.tooManyFields(field: "fixtures.v1.Tree")) {
      try Fixtures.V1.Tree(serialized: pairs(0x78, 0x01, count: limit + 1))
    }
    #expect(throws: MessageError.tooManyFields(field: "fixtures.v1.Tree.children")) {
      try Fixtures.V1.Tree(serialized: pairs(0x12, 0x00, count: 2_000_000))
    }
    let packed = [0x8a, 0x02, 0x80, 0x80, 0x80, 0x02] + Array(repeating: UInt8(1), count: 4 << 20)
    #expect(throws: MessageError.tooManyFields(field: "fixtures.v1.AllTypes.int64s")) {
      try Fixtures.V1.AllTypes(serialized: packed)
    }
  }

  @Test("a message that comes twice is refused: protobuf-c would take n² time and memory to merge n lists")
  func messageTwice() {
    let snapshot = field(1, Omsconnector.V1.StockSnapshot(stock: [.init(sku: "A", quantity: 1)]).serialized())
    #expect(throws: Never.self) { try Omsconnector.V1.ApplyStockSnapshotRequest(serialized: snapshot) }
    #expect(
      throws: MessageError.malformed(
        field: "omsconnector.v1.ApplyStockSnapshotRequest.snapshot", reason: "the message comes twice; send it once")
    ) {
      try Omsconnector.V1.ApplyStockSnapshotRequest(serialized: snapshot + snapshot)
    }
  }

  @Test("a message cut off at any byte is refused or decoded, never more")
  func truncated() {
    for count in goldenBytes.indices {
      let decoded = try? Fixtures.V1.AllTypes(serialized: Array(goldenBytes[..<count]))
      if let decoded { #expect(decoded.serialized().count <= count) }
    }
  }

  @Test("changed bytes are refused, or decoded to something that survives a round trip")
  func mutated() throws {
    let seed = UInt64.random(in: 1 ... .max)
    print("mutated bytes: seed \(seed)")
    var random = SplitMix(state: seed)
    var accepted = 0
    for round in 0..<20_000 {
      var bytes = goldenBytes
      for _ in 0...Int.random(in: 0...3, using: &random) {
        let index = Int.random(in: bytes.indices, using: &random)
        switch UInt8.random(in: 0...3, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 2: bytes.remove(at: index)
        default: bytes.insert(contentsOf: bytes[index..<min(index + 9, bytes.count)], at: index)
        }
      }
      guard let decoded = try? Fixtures.V1.AllTypes(serialized: bytes) else { continue }
      accepted += 1
      let again = try Fixtures.V1.AllTypes(serialized: decoded.serialized())
      // NaN is unequal to itself, but has bytes.
      #expect(again.serialized() == decoded.serialized(), "seed \(seed), round \(round)")
    }
    #expect(accepted > 0)
  }
}

/// Repeatable from its seed.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
