/// What a request's headers say. Calls whose header blocks are the same share one.
///
/// Sendable: changed while its block is read only, on its connection's loop; afterwards only read.
final class RequestHead: HeaderList, @unchecked Sendable {
  private(set) var method: Method?
  private(set) var metadata = Metadata()
  /// From the request's arrival.
  private(set) var timeoutNanoseconds: UInt64?
  private(set) var encoding = MessageEncoding.identity
  /// A `grpc-encoding` that is not known here.
  private(set) var unknownEncoding: String?
  /// The client reads compressed messages.
  private(set) var acceptsGzip = false
  private(set) var contentLength: Int?
  private(set) var trace = ReceivedTrace()
  /// Not a request of HTTP/2 at all (RFC 9113 §8.1.1).
  private(set) var isMalformed = false

  private let server: Server
  private var seen = Seen()
  private var byteCount = 0
  private var malformedTimeout: String?

  private struct Seen: OptionSet {
    let rawValue: UInt16
    static let method = Seen(rawValue: 1)
    static let scheme = Seen(rawValue: 2)
    static let path = Seen(rawValue: 4)
    static let authority = Seen(rawValue: 8)
    static let pseudoFields: Seen = [.method, .scheme, .path]
    static let regularField = Seen(rawValue: 16)
    static let post = Seen(rawValue: 32)
    static let contentType = Seen(rawValue: 64)
    static let wrongContentType = Seen(rawValue: 128)
    static let trailers = Seen(rawValue: 256)
  }

  init(server: Server) { self.server = server }

  // MARK: Reading

  func receive(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    byteCount += name.count + value.count + 32  // RFC 9113 §6.5.2 counts so
    guard HeaderRules.isValue(value), let first = name.first else { return isMalformed = true }
    guard first == UInt8(ascii: ":") else {
      seen.insert(.regularField)
      return receiveRegular(name, value)
    }
    guard !seen.contains(.regularField) else { return isMalformed = true }
    switch name.count {
    case 5 where name.equals(":path"):
      once(.path)
      if value.isEmpty { isMalformed = true }
      method = server.method(value)
    case 7 where name.equals(":method"):
      once(.method)
      if value.equals("POST") { seen.insert(.post) }
    case 7 where name.equals(":scheme"): once(.scheme)
    case 10 where name.equals(":authority"): once(.authority)
    default: isMalformed = true
    }
  }

  private func once(_ field: Seen) {
    if !seen.insert(field).inserted { isMalformed = true }
  }

  private func receiveRegular(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    switch name.count {
    case 2 where name.equals("te"):
      if value.equals("trailers") { seen.insert(.trailers) } else { isMalformed = true }
    case 10 where name.equals("user-agent"): break
    case 20 where name.equals("grpc-accept-encoding"): acceptsGzip = MessageEncoding.listsGzip(value)
    case 11 where name.equals("traceparent"): trace.receive(traceparent: value)
    case 10 where name.equals("tracestate"): trace.receive(tracestate: String(decoding: value, as: UTF8.self))
    case 12 where name.equals("content-type"):
      seen.insert(.contentType)
      if !RequestHead.isGRPC(value) { seen.insert(.wrongContentType) }
    case 12 where name.equals("grpc-timeout"):
      timeoutNanoseconds = Timeout.parse(value)
      if timeoutNanoseconds == nil { malformedTimeout = String(decoding: value.prefix(32), as: UTF8.self) }
    case 13 where name.equals("grpc-encoding"):
      if let known = MessageEncoding(value) {
        encoding = known
      } else {
        unknownEncoding = String(decoding: value.prefix(32), as: UTF8.self)
      }
    case 14 where name.equals("content-length"): receiveContentLength(value)
    default:
      guard HeaderRules.isName(name), !HeaderRules.isConnectionSpecific(name, value) else { return isMalformed = true }
      guard byteCount <= server.options.headerListLimit else { return }
      metadata.append(received: String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
    }
  }

  private func receiveContentLength(_ value: UnsafeBufferPointer<UInt8>) {
    guard let length = HeaderRules.contentLength(value), contentLength ?? length == length else {
      return isMalformed = true
    }
    contentLength = length
  }

  /// `application/grpc`, with a subtype or parameters or without.
  private static func isGRPC(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    guard value.hasPrefix("application/grpc") else { return false }
    return value.count == 16 || value[16] == UInt8(ascii: "+") || value[16] == UInt8(ascii: ";")
  }

  /// To be called once, behind the last field.
  func finish() {
    if !seen.isSuperset(of: .pseudoFields) { isMalformed = true }
  }

  // MARK: What it leads to

  /// An HTTP status for what is not gRPC, and why.
  var refusal: (status: String, message: String)? {
    if !seen.contains(.post) { return ("405", "gRPC calls are POST requests") }
    if !seen.contains(.contentType) || seen.contains(.wrongContentType) {
      return ("415", "the content-type is not application/grpc")
    }
    return nil
  }

  /// Why the call can't even begin.
  var problem: RPCError? {
    if byteCount > server.options.headerListLimit {
      return RPCError(
        .resourceExhausted, "\(byteCount) bytes of headers; at most \(server.options.headerListLimit) are accepted")
    }
    if !seen.contains(.trailers) {
      return RPCError(
        .internalError, "the request has no \"te: trailers\": a proxy on the way does not pass trailers on")
    }
    if let malformedTimeout {
      return RPCError(
        .invalidArgument, "grpc-timeout \"\(malformedTimeout)\" is not up to 8 digits and one of H M S m u n")
    }
    if let unknownEncoding {
      return RPCError(
        .unimplemented,
        "grpc-encoding \"\(unknownEncoding)\" is not supported: send one of \(MessageEncoding.acceptedText)")
    }
    if let name = metadata.malformedName {
      return RPCError(.internalError, "metadata \(name): the value is not base64, which that of a -bin name has to be")
    }
    if method == nil {
      return RPCError(.unimplemented, "the method is not known here; grpc.reflection.v1 lists what is")
    }
    return nil
  }
}
