public import Messages

/// What a status says beside its code and message, for programs to act on: the standard messages of
/// `google/rpc/error_details.proto`.
public enum ErrorDetail: Sendable, Equatable {
  /// Why the call failed.
  /// - Parameters:
  ///   - reason: upper-case snake case and constant, e.g. `STORE_BUSY`.
  ///   - domain: who defines the reason, e.g. `inventory.omsconnector`.
  ///   - metadata: more about it.
  case errorInfo(reason: String, domain: String, metadata: [String: String] = [:])
  /// What is wrong with the request, field by field.
  case badRequest([FieldViolation])
  /// The call may be made again after this time, and not before.
  case retryInfo(Duration)
  /// Anything else, as it came.
  case other(Google.Protobuf.AnyMessage)

  /// One wrong field of a request.
  public struct FieldViolation: Sendable, Equatable {
    /// Path from the request, e.g. `snapshot.stock[3].sku`.
    public var field: String
    /// What is wrong with it, with the value, and what to send instead.
    public var description: String
    /// For programs, in upper-case snake case; may be empty.
    public var reason: String

    /// What the properties say.
    public init(field: String, description: String, reason: String = "") {
      self.field = field
      self.description = description
      self.reason = reason
    }
  }
}

extension ErrorDetail {
  private static let typePrefix = "type.googleapis.com/"

  /// Packed for `google.rpc.Status`.
  var packed: Google.Protobuf.AnyMessage {
    switch self {
    case .errorInfo(let reason, let domain, let metadata):
      Self.pack(Google.Rpc.ErrorInfo(reason: reason, domain: domain, metadata: metadata))
    case .badRequest(let violations):
      Self.pack(
        Google.Rpc.BadRequest(
          fieldViolations: violations.map { .init(field: $0.field, description: $0.description, reason: $0.reason) }))
    case .retryInfo(let delay):
      Self.pack(
        Google.Rpc.RetryInfo(
          retryDelay: .init(
            seconds: delay.components.seconds, nanos: Int32(delay.components.attoseconds / 1_000_000_000))))
    case .other(let message): message
    }
  }

  private static func pack<Detail: Message>(_ message: Detail) -> Google.Protobuf.AnyMessage {
    .init(typeUrl: typePrefix + Detail.fullName, value: message.serialized())
  }

  /// - Parameter message: with any prefix before the type's name, as only what is behind the last `/` counts. A message
  ///   that does not decode as its type stays what it is.
  init(_ message: Google.Protobuf.AnyMessage) {
    let type = message.typeUrl.split(separator: "/").last ?? ""
    self = Self.unpack(type, message.value) ?? .other(message)
  }

  /// What a `google.protobuf.Duration` may be, either way: 10 000 years. Swift's own stops the process when it is asked for
  /// more seconds than fit 64 bits.
  private static let longestSeconds: Int64 = 315_576_000_000

  private static func unpack(_ type: Substring, _ bytes: [UInt8]) -> ErrorDetail? {
    switch type {
    case Substring(Google.Rpc.ErrorInfo.fullName):
      guard let info = try? Google.Rpc.ErrorInfo(serialized: bytes) else { return nil }
      return .errorInfo(reason: info.reason, domain: info.domain, metadata: info.metadata)
    case Substring(Google.Rpc.BadRequest.fullName):
      guard let request = try? Google.Rpc.BadRequest(serialized: bytes) else { return nil }
      return .badRequest(
        request.fieldViolations.map { .init(field: $0.field, description: $0.description, reason: $0.reason) })
    case Substring(Google.Rpc.RetryInfo.fullName):
      guard let delay = try? Google.Rpc.RetryInfo(serialized: bytes).retryDelay,
        abs(Int64(delay.nanos)) < 1_000_000_000, (-longestSeconds...longestSeconds).contains(delay.seconds)
      else { return nil }
      return .retryInfo(.seconds(delay.seconds) + .nanoseconds(Int64(delay.nanos)))
    default: return nil
    }
  }
}
