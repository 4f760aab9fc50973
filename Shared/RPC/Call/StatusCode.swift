/// How a call ended. Source: gRPC's `doc/statuscodes.md`.
public struct StatusCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number that is on the wire, 0 to 16.
  public let rawValue: Int
  /// Codes outside 0…16 become `unknown`, as the peer that sent them can't have meant any of ours.
  public init(rawValue: Int) { self.rawValue = (0...16).contains(rawValue) ? rawValue : 2 }

  /// The call did what it was asked to.
  public static let ok = StatusCode(rawValue: 0)
  /// The caller gave the call up.
  public static let cancelled = StatusCode(rawValue: 1)
  /// The other side failed and gave no code that gRPC knows.
  public static let unknown = StatusCode(rawValue: 2)
  /// The request is wrong whatever the state of the service: it must not be sent again as it is.
  public static let invalidArgument = StatusCode(rawValue: 3)
  /// The time was up; the call may have had its effect all the same.
  public static let deadlineExceeded = StatusCode(rawValue: 4)
  /// What the request names does not exist.
  public static let notFound = StatusCode(rawValue: 5)
  /// What the request wants to make exists.
  public static let alreadyExists = StatusCode(rawValue: 6)
  /// The caller is known and may not do this; see `unauthenticated`.
  public static let permissionDenied = StatusCode(rawValue: 7)
  /// A limit is reached: a quota, a size, a queue.
  public static let resourceExhausted = StatusCode(rawValue: 8)
  /// The service is not in the state that this needs: somebody has to change that before another attempt.
  public static let failedPrecondition = StatusCode(rawValue: 9)
  /// Another call came in between: the caller may start over with what it read first.
  public static let aborted = StatusCode(rawValue: 10)
  /// Past the end of what there is now, such as a page that does not exist yet.
  public static let outOfRange = StatusCode(rawValue: 11)
  /// The server has no such method, or does not know the way the request is compressed.
  public static let unimplemented = StatusCode(rawValue: 12)
  /// INTERNAL; named so because `internal` is a keyword.
  public static let internalError = StatusCode(rawValue: 13)
  /// The service can't be reached or can't answer now: another attempt may succeed.
  public static let unavailable = StatusCode(rawValue: 14)
  /// Data is lost or damaged for good.
  public static let dataLoss = StatusCode(rawValue: 15)
  /// The caller has not shown who it is, or with a wrong token.
  public static let unauthenticated = StatusCode(rawValue: 16)

  private static let names = [
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
  ]

  /// The name as the field writes it, e.g. `NOT_FOUND`.
  public var description: String { StatusCode.names[rawValue] }

  /// The status that stands for an HTTP status without a gRPC one.
  /// Source: gRPC's `doc/http-grpc-status-mapping.md`.
  init(httpStatus: Int) {
    switch httpStatus {
    case 400: self = .internalError
    case 401: self = .unauthenticated
    case 403: self = .permissionDenied
    case 404: self = .unimplemented
    case 429, 502, 503, 504: self = .unavailable
    default: self = .unknown
    }
  }

  /// The status that stands for a stream that ended with RST_STREAM.
  /// Source: gRPC's `doc/PROTOCOL-HTTP2.md`, "Errors".
  init(http2Error: UInt32) {
    switch http2Error {
    case 0x7: self = .unavailable  // REFUSED_STREAM
    case 0x8: self = .cancelled  // CANCEL
    case 0xb: self = .resourceExhausted  // ENHANCE_YOUR_CALM
    case 0xc: self = .permissionDenied  // INADEQUATE_SECURITY
    default: self = .internalError
    }
  }
}
