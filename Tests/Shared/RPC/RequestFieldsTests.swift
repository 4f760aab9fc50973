import Testing

@testable import RPC

/// What is encoded once and sent again says what it would have said anew.
struct RequestFieldsTests {
  private static func block(
    _ fields: inout RequestFields, _ encoder: inout HeaderEncoder, path: String, acceptsGzip: Bool, _ metadata: Metadata
  ) -> [UInt8] {
    var block = ByteQueue()
    encoder.beginBlock(&block)
    fields.append(path: path, acceptsGzip: acceptsGzip, &encoder, &block)
    RequestFields.append(timeoutNanoseconds: 5_000, &block)
    fields.append(metadata, &encoder, &block)
    return Array(block.bytes)
  }

  private static func check(
    _ fields: [(name: String, value: String)], _ path: String, _ gzip: Bool, _ metadata: Metadata
  ) {
    #expect(fields.prefix(3).map(\.value) == ["POST", "http", "somewhere"])
    #expect(fields.filter { $0.name == ":path" }.map(\.value) == [path])
    #expect(fields.contains { $0.name == "grpc-accept-encoding" } == gzip)
    #expect(fields.filter { $0.name == "grpc-timeout" }.map(\.value) == ["5000n"])
    #expect(fields.suffix(metadata.count).map(\.value) == metadata.map(\.value))
  }

  @Test("more methods and metadata than are kept, in turn, with a peer that changes its table")
  func manyCallers() throws {
    var fields = RequestFields(authority: Array("somewhere".utf8), isSecure: false)
    var encoder = HeaderEncoder()
    let decoder = FieldDecoder()
    let shared = (0..<20).map { ["x-request-id": "\($0)", "authorization": "Bearer \($0)"] as Metadata }
    for round in 0..<200 {
      if round == 100 { encoder.setTableSize(64) }
      let path = "/test.Service/Method\(round * 7 % 20)"
      let gzip = round % 3 != 0
      let metadata = shared[round * 3 % (round % 2 == 0 ? 4 : 20)]
      let block = Self.block(&fields, &encoder, path: path, acceptsGzip: gzip, metadata)
      Self.check(try #require(decoder.decode(block)), path, gzip, metadata)
    }
  }

  @Test("metadata that was changed after a call is sent as it is then")
  func changedMetadata() throws {
    var fields = RequestFields(authority: Array("somewhere".utf8), isSecure: false)
    var encoder = HeaderEncoder()
    let decoder = FieldDecoder()
    var metadata: Metadata = ["x-request-id": "0"]
    for index in 1..<20 {
      let block = Self.block(&fields, &encoder, path: "/a/b", acceptsGzip: true, metadata)
      Self.check(try #require(decoder.decode(block)), "/a/b", true, metadata)
      metadata.removeAll(named: "x-request-id")
      metadata.append("x-request-id", "\(index)")
    }
  }
}
