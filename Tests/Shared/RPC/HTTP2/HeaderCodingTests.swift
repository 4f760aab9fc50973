import Testing

@testable import RPC

/// Everything that a block says, as text.
final class Fields: HeaderList {
  private(set) var list: [String] = []

  func receive(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    list.append("\(String(decoding: name, as: UTF8.self)): \(String(decoding: value, as: UTF8.self))")
  }
}

/// Our encoder against nghttp2's decoder, and what the decoder keeps.
struct HeaderCodingTests {
  private func encode(
    _ encoder: inout HeaderEncoder, _ body: (inout HeaderEncoder, inout ByteQueue) -> Void
  ) -> [UInt8] {
    var block = ByteQueue()
    encoder.beginBlock(&block)
    body(&encoder, &block)
    return Array(block.bytes)
  }

  private func decode(_ decoder: inout RPC.HeaderDecoder<Fields>, _ block: [UInt8]) throws -> Fields {
    let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: block.count)
    defer { buffer.deallocate() }
    _ = buffer.initialize(from: block)
    return try decoder.decode(UnsafeBufferPointer(buffer), limit: 64 << 10) { Fields() }
  }

  private func code(_ body: () throws -> Fields) -> HTTP2ErrorCode? {
    do {
      _ = try body()
      return nil
    } catch {
      return (error as? HTTP2ConnectionError)?.code
    }
  }

  @Test("what is encoded comes out again, and what repeats takes a byte")
  func roundTrip() throws {
    var encoder = HeaderEncoder()
    var decoder = RPC.HeaderDecoder<Fields>()
    let long = String(repeating: "v", count: 300)
    var sizes: [Int] = []
    for call in 0..<3 {
      let block = encode(&encoder) { encoder, block in
        encoder.append(static: 3, &block)
        encoder.append(repeated: Array(":path".utf8), nameIndex: 4, Array("/a/b".utf8), &block)
        encoder.append(repeated: Array("user-agent".utf8), nameIndex: 58, Array("us".utf8), &block)
        encoder.append("x-call".utf8, "\(call)".utf8, &block)
        encoder.append("x-long".utf8, long.utf8, isSecret: true, &block)
      }
      sizes.append(block.count)
      let list = try decode(&decoder, block).list
      #expect(list == [":method: POST", ":path: /a/b", "user-agent: us", "x-call: \(call)", "x-long: \(long)"])
    }
    #expect(sizes[1] == sizes[2])
    // Two literals of 6 and 4 bytes have become one byte each.
    #expect(sizes[0] - sizes[1] == 8)
  }

  @Test("a table that is full is left as it is: the rest goes as literals")
  func fullTable() throws {
    var encoder = HeaderEncoder()
    var decoder = RPC.HeaderDecoder<Fields>()
    for round in 0..<2 {
      for entry in 100..<300 {
        let block = encode(&encoder) {
          $0.append(repeated: Array("x-entry".utf8), Array("value \(entry)".utf8), &$1)
        }
        let list = try decode(&decoder, block).list
        #expect(list == ["x-entry: value \(entry)"], "round \(round)")
      }
    }
    // 4 096 bytes, each entry with 32 more than its name and value (RFC 7541 §4.1).
    #expect(encoder.generation == 4096 / (7 + 9 + 32))
  }

  @Test("a peer's smaller table is announced and kept to", arguments: [0, 40, 100, 4095])
  func smallerTable(_ size: Int) throws {
    var encoder = HeaderEncoder()
    var decoder = RPC.HeaderDecoder<Fields>()
    let fields = (0..<4).map { "value \($0)" }
    func send() throws {
      let block = encode(&encoder) { encoder, block in
        for field in fields { encoder.append(repeated: Array("x-entry".utf8), Array(field.utf8), &block) }
      }
      let list = try decode(&decoder, block).list
      #expect(list == fields.map { "x-entry: \($0)" })
    }
    try send()
    encoder.setTableSize(size)
    for _ in 0..<3 { try send() }
    // Larger than what we use changes nothing.
    encoder.setTableSize(1 << 20)
    try send()
  }

  @Test("a block that is not sent after all leaves no trace in the table", arguments: [false, true])
  func restored(_ isSmaller: Bool) throws {
    var encoder = HeaderEncoder()
    var decoder = RPC.HeaderDecoder<Fields>()
    func block(_ value: String) -> [UInt8] {
      encode(&encoder) { $0.append(repeated: Array("x-entry".utf8), Array(value.utf8), &$1) }
    }
    _ = try decode(&decoder, block("a"))
    if isSmaller { encoder.setTableSize(100) }
    let mark = encoder.mark
    _ = block("b")
    encoder.restore(mark)
    for value in ["a", "b", "c", "b", "a"] {
      let list = try decode(&decoder, block(value)).list
      #expect(list == ["x-entry: \(value)"])
    }
  }

  @Test("the same block gives the same list, until one in between changes the table")
  func kept() throws {
    var encoder = HeaderEncoder()
    var decoder = RPC.HeaderDecoder<Fields>()
    func block(_ path: String) -> [UInt8] {
      encode(&encoder) { $0.append(repeated: Array(":path".utf8), nameIndex: 4, Array(path.utf8), &$1) }
    }
    _ = try decode(&decoder, block("/a"))
    let first = try decode(&decoder, block("/a"))
    let second = try decode(&decoder, block("/a"))
    #expect(second === first)
    // Adds an entry: from now on the index that meant /a means /b.
    let before = block("/a")
    _ = try decode(&decoder, block("/b"))
    let other = try decode(&decoder, before).list
    #expect(other == [":path: /b"])
    let third = try decode(&decoder, block("/a")).list
    #expect(third == [":path: /a"])
  }

  @Test("more different blocks than are kept are decoded all the same")
  func manyBlocks() throws {
    var encoder = HeaderEncoder()
    var decoder = RPC.HeaderDecoder<Fields>()
    for round in 0..<3 {
      for call in 0..<10 {
        let block = encode(&encoder) { $0.append("x-call".utf8, "\(call)".utf8, &$1) }
        let list = try decode(&decoder, block).list
        #expect(list == ["x-call: \(call)"], "round \(round)")
      }
    }
  }

  @Test(
    "a block that can't be decoded is a compression error",
    arguments: [
      [0x80],  // index 0 (RFC 7541 §6.1)
      [0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],  // an index far beyond the table
      [0x40, 0x85],  // ends inside a string
      [0x3f, 0xe2, 0x1f],  // a table larger than we have allowed (§6.3)
      [0x00, 0x81, 0x00, 0x01, 0x61],  // Huffman padding that is not EOS (§5.2)
    ] as [[UInt8]])
  func malformed(_ block: [UInt8]) throws {
    var decoder = RPC.HeaderDecoder<Fields>()
    let code = code { try decode(&decoder, block) }
    #expect(code == .compressionError)
  }

  @Test("a small block that refers to a large entry again and again ends at the limit")
  func bomb() throws {
    var decoder = RPC.HeaderDecoder<Fields>()
    let value = [UInt8](repeating: 0x61, count: 4000)
    // Adds the entry, and then refers to it 1 000 times: 4 MB out of 5 KB.
    let block = [0x40, 0x01, 0x78, 0x7f, 0xa1, 0x1e] + value + [UInt8](repeating: 0xbe, count: 1000)
    let code = code { try decode(&decoder, block) }
    #expect(code == .enhanceYourCalm)
  }

  @Test(
    "which blocks leave the table alone",
    arguments: [
      ([0x83, 0x86], true), ([0x00, 0x01, 0x61, 0x01, 0x62], true), ([0x0f, 0x10, 0x01, 0x62], true),
      ([0x10, 0x01, 0x61, 0x01, 0x62], true), ([], true), ([0x40, 0x01, 0x61, 0x01, 0x62], false),
      ([0x20], false), ([0x83, 0x3f, 0x01], false), ([0x00, 0x05, 0x61], false), ([0xff], false),
      ([0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], false),
    ] as [([UInt8], Bool)])
  func leavesTableAlone(_ block: [UInt8], _ expected: Bool) {
    #expect(block.withUnsafeBufferPointer { HeaderBlock.leavesTableAlone($0) } == expected)
  }
}
