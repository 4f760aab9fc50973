/// A connection's request headers, as bytes. What callers send again and again is encoded once: the fields that all calls
/// of a method have, and metadata that several calls share.
struct RequestFields: ~Copyable {
  private let authority: [UInt8]
  private let isSecure: Bool
  private var methods: [MethodFields] = []
  private var nextMethod = 0
  private var metadata: [KnownMetadata] = []
  private var nextMetadata = 0

  /// Methods and metadata that are told apart: each costs a comparison, and memory of an idle connection.
  private static let methodLimit = 16
  private static let metadataLimit = 8
  private static let metadataBlockLimit = 1 << 10

  private final class MethodFields {
    let path: String
    let acceptsGzip: Bool
    var block = EncodedBlock()

    init(_ path: String, acceptsGzip: Bool) {
      self.path = path
      self.acceptsGzip = acceptsGzip
    }
  }

  private struct KnownMetadata {
    let metadata: Metadata
    let block: [UInt8]
  }

  init(authority: [UInt8], isSecure: Bool) {
    self.authority = authority
    self.isSecure = isSecure
  }

  // MARK: What all calls of a method have

  mutating func append(
    path: String, acceptsGzip: Bool, _ encoder: inout HeaderEncoder, _ block: inout ByteQueue
  ) {
    let method = method(path, acceptsGzip: acceptsGzip)
    block.append(
      method.block.bytes(encoder: &encoder) { encoder, block in
        encoder.append(static: 3, &block)  // :method: POST
        encoder.append(static: isSecure ? 7 : 6, &block)  // :scheme: https or http
        encoder.append(repeated: Field.authority, nameIndex: 1, authority, &block)
        encoder.append(repeated: Field.path, nameIndex: 4, Array(path.utf8), &block)
        encoder.append(repeated: Field.te.name, Field.te.value, &block)
        encoder.append(repeated: Field.contentType.name, nameIndex: 31, Field.contentType.value, &block)
        encoder.append(repeated: Field.userAgent.name, nameIndex: 58, Field.userAgent.value, &block)
        if acceptsGzip {
          encoder.append(repeated: Field.acceptEncoding.name, Field.acceptEncoding.value, &block)
        }
      })
  }

  private mutating func method(_ path: String, acceptsGzip: Bool) -> MethodFields {
    // Strings that share their memory, as those of method descriptors do, compare in a few instructions.
    for method in methods where method.acceptsGzip == acceptsGzip && method.path == path { return method }
    let method = MethodFields(path, acceptsGzip: acceptsGzip)
    if methods.count < RequestFields.methodLimit {
      methods.append(method)
    } else {
      methods[nextMethod] = method
      nextMethod = (nextMethod + 1) % RequestFields.methodLimit
    }
    return method
  }

  // MARK: What a call has of its own

  static func appendEncoding(_ encoder: inout HeaderEncoder, _ block: inout ByteQueue) {
    encoder.append(repeated: Field.gzipEncoding.name, Field.gzipEncoding.value, &block)
  }

  static func append(timeoutNanoseconds: UInt64, _ block: inout ByteQueue) {
    Field.append("grpc-timeout", limit: Timeout.longestCount, &block) { value in
      Timeout.write(nanoseconds: timeoutNanoseconds, to: value)
    }
  }

  static func append(_ trace: TraceContext, _ encoder: inout HeaderEncoder, _ block: inout ByteQueue) {
    Field.append("traceparent", limit: TraceContext.traceparentLength, &block) { value in
      trace.writeTraceparent(to: value)
      return TraceContext.traceparentLength
    }
    if !trace.state.isEmpty { encoder.append("tracestate".utf8, trace.state.utf8, &block) }
  }

  /// Metadata is never put into HPACK's table, so that it is the same bytes whenever it is sent. Known by the memory of its
  /// entries: callers that set it up once, and calls that are passed on with equal headers, share theirs.
  mutating func append(_ metadata: Metadata, _ encoder: inout HeaderEncoder, _ block: inout ByteQueue) {
    guard !metadata.isEmpty else { return }
    for known in self.metadata where known.metadata.sharesMemory(with: metadata) {
      return known.block.withUnsafeBytes { block.append($0) }
    }
    let start = block.count
    encoder.append(metadata, &block)
    guard block.count - start <= RequestFields.metadataBlockLimit else { return }
    let known = KnownMetadata(metadata: metadata, block: Array(block.bytes.dropFirst(start)))
    if self.metadata.count < RequestFields.metadataLimit {
      self.metadata.append(known)
    } else {
      self.metadata[nextMetadata] = known
      nextMetadata = (nextMetadata + 1) % RequestFields.metadataLimit
    }
  }

  private enum Field {
    static let authority = Array(":authority".utf8)
    static let path = Array(":path".utf8)
    static let te = (name: Array("te".utf8), value: Array("trailers".utf8))
    static let contentType = (name: Array("content-type".utf8), value: Array("application/grpc".utf8))
    static let userAgent = (name: Array("user-agent".utf8), value: Array("oms-connector".utf8))
    static let acceptEncoding = (name: Array("grpc-accept-encoding".utf8), value: MessageEncoding.accepted)
    static let gzipEncoding = (name: Array("grpc-encoding".utf8), value: Array("gzip".utf8))

    /// A literal that no table takes in (RFC 7541 §6.2.2), written where it belongs.
    /// - Parameters:
    ///   - limit: bytes of the value at most. Like those of the name fewer than 127, which is what one byte can say.
    ///   - write: returns how many it has written.
    static func append(
      _ name: StaticString, limit: Int, _ block: inout ByteQueue, _ write: (UnsafeMutablePointer<UInt8>) -> Int
    ) {
      let nameCount = name.utf8CodeUnitCount
      assert(nameCount < 127 && limit < 127)
      let start = block.reserve(3 + nameCount + limit).assumingMemoryBound(to: UInt8.self)
      start[0] = 0
      start[1] = UInt8(nameCount)
      (start + 2).update(from: name.utf8Start, count: nameCount)
      let count = write(start + 3 + nameCount)
      start[2 + nameCount] = UInt8(count)
      block.advance(3 + nameCount + count)
    }
  }
}

extension Metadata {
  /// Whether it is the same for certain, as nobody can have changed the one without leaving the other's memory.
  fileprivate func sharesMemory(with other: Metadata) -> Bool {
    entries.withUnsafeBufferPointer { ours in
      other.entries.withUnsafeBufferPointer { ours.baseAddress == $0.baseAddress && ours.count == $0.count }
    }
  }
}
