/// What a block of a response's headers says: the first one, or the trailers. Calls whose blocks are the same share one.
///
/// Sendable: changed while its block is read only, on its connection's loop; afterwards only read.
final class ResponseHead: HeaderList, @unchecked Sendable {
  /// `:status`; 0 in trailers.
  private(set) var httpStatus = 0
  private(set) var grpcStatus: Int?
  private(set) var grpcMessage: String?
  private(set) var isGRPC = false
  private(set) var contentLength: Int?
  private(set) var metadata = Metadata()
  private(set) var encoding = MessageEncoding.identity
  /// A `grpc-encoding` that is not known here.
  private(set) var unknownEncoding: String?
  /// Not a response of HTTP/2 at all (RFC 9113 §8.1.1).
  private(set) var isMalformed = false

  private var hasRegularField = false
  private var byteCount = 0

  /// Names and values of headers and trailers that are kept, in bytes.
  private static let limit = 32 << 10

  func receive(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    guard HeaderRules.isValue(value), let first = name.first else { return isMalformed = true }
    guard first != UInt8(ascii: ":") else {
      let status = value.count == 3 ? Int(String(decoding: value, as: UTF8.self)) : nil
      guard name.equals(":status"), !hasRegularField, httpStatus == 0, let status, status >= 100 else {
        return isMalformed = true
      }
      return httpStatus = status
    }
    hasRegularField = true
    switch name.count {
    case 11 where name.equals("grpc-status"):
      grpcStatus = Int(String(decoding: value, as: UTF8.self)) ?? StatusCode.unknown.rawValue
    case 12 where name.equals("grpc-message"): grpcMessage = PercentEncoding.decode(value)
    case 12 where name.equals("content-type"): isGRPC = value.hasPrefix("application/grpc")
    case 13 where name.equals("grpc-encoding"):
      if let known = MessageEncoding(value) {
        encoding = known
      } else {
        unknownEncoding = String(decoding: value.prefix(32), as: UTF8.self)
      }
    case 14 where name.equals("content-length"): receiveContentLength(value)
    default:
      guard HeaderRules.isName(name), !HeaderRules.isConnectionSpecific(name, value) else { return isMalformed = true }
      byteCount += name.count + value.count + 32
      guard byteCount <= ResponseHead.limit else { return }
      metadata.append(received: String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
    }
  }

  private func receiveContentLength(_ value: UnsafeBufferPointer<UInt8>) {
    guard let length = HeaderRules.contentLength(value), contentLength ?? length == length else {
      return isMalformed = true
    }
    contentLength = length
  }
}
