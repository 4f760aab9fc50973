@testable import RPC

/// Our part of HPACK (RFC 7541) against nghttp2's: the decoder that keeps blocks says what one says that keeps nothing, and
/// what the encoder writes decodes to what went in.
final class HPACKTarget: FuzzTarget {
  func run(_ bytes: UnsafeRawBufferPointer) {
    var input = Input(bytes)
    if input.bool() { decode(&input) } else { encode(&input) }
  }

  // MARK: Decoding

  private final class Fields: HeaderList {
    private(set) var list: [Field] = []
    func receive(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
      list.append(Field(name: Array(name), value: Array(value)))
    }
  }

  private func decode(_ input: inout Input) {
    let limit = 4096
    var ours = HeaderDecoder<Fields>()
    let plain = PlainInflater()
    var blocks: [[UInt8]] = []
    while !input.isEmpty {
      // A block that has come before may be known to ours, and has to mean what it means now.
      let isRepeated = input.bool() && !blocks.isEmpty
      let block = isRepeated ? input.choice(of: blocks) : input.bytes(Int(input.byte() % 64))
      if !isRepeated { blocks.append(block) }
      let tableBefore = plain.table
      let expected = plain.decode(block)
      if expected != nil, block.withUnsafeBufferPointer(HeaderBlock.leavesTableAlone) {
        require(plain.table == tableBefore, "a block that should leave the table alone has changed it: \(block)")
      }
      let size = (expected ?? []).reduce(0) { $0 + $1.name.count + $1.value.count + 32 }
      do throws(HTTP2ConnectionError) {
        let fields = try block.withUnsafeBufferPointer { (bytes) throws(HTTP2ConnectionError) in
          try ours.decode(bytes, limit: limit) { Fields() }.list
        }
        require(fields == expected, "\(block) gives \(fields), not \(String(describing: expected))")
      } catch {
        require(expected == nil || size > limit, "\(block) is refused: \(error)")
        return
      }
    }
  }

  // MARK: Encoding

  private static let constantFields = [
    Field(name: Array("content-type".utf8), value: Array("application/grpc".utf8)),
    Field(name: Array("te".utf8), value: Array("trailers".utf8)),
  ]

  private func encode(_ input: inout Input) {
    var encoder = HeaderEncoder()
    var constant = EncodedBlock()
    let inflater = PlainInflater()
    while !input.isEmpty {
      if input.byte() % 8 == 0 {
        let size = Int(input.byte() % 4 == 0 ? input.long() : UInt32(input.byte()) * 8)
        encoder.setTableSize(size)
        inflater.setTableSize(size)
      }
      var block = ByteQueue()
      var expected: [Field] = []
      encoder.beginBlock(&block)
      for _ in 0..<(input.byte() % 8) { append(&input, &encoder, &constant, &block, &expected) }
      let bytes = Array(block.bytes)
      let decoded = inflater.decode(bytes)
      require(decoded == expected, "\(expected) is written as \(bytes), which is \(String(describing: decoded))")
    }
  }

  private func append(
    _ input: inout Input, _ encoder: inout HeaderEncoder, _ constant: inout EncodedBlock, _ block: inout ByteQueue,
    _ expected: inout [Field]
  ) {
    switch input.byte() % 5 {
    case 0:
      encoder.append(static: 8, &block)
      expected.append(Field(name: Array(":status".utf8), value: Array("200".utf8)))
    case 1:
      block.append(
        constant.bytes(encoder: &encoder) { encoder, block in
          for field in Self.constantFields { encoder.append(repeated: field.name, field.value, &block) }
        })
      expected += Self.constantFields
    case 2:
      let field = field(&input)
      encoder.append(repeated: field.name, field.value, &block)
      expected.append(field)
    case 3:
      let field = Field(name: Array(":path".utf8), value: input.shortBytes())
      encoder.append(repeated: field.name, nameIndex: 4, field.value, &block)
      expected.append(field)
    default:
      let field = field(&input)
      encoder.append(field.name, field.value, isSecret: input.bool(), &block)
      expected.append(field)
    }
  }

  /// Long ones now and then, so that lengths take more than a byte.
  private func field(_ input: inout Input) -> Field {
    let value = input.shortBytes()
    let repeats = input.choice(of: [1, 1, 1, 20])
    return Field(
      name: Array("n\(input.byte() % 8)".utf8), value: Array(repeatElement(value, count: repeats).joined()))
  }
}

struct Field: Equatable {
  let name: [UInt8]
  let value: [UInt8]
}
