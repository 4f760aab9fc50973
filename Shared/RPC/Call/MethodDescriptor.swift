import Messages

/// Whether a method may be called again when nobody knows whether the first call had its effect.
/// Source: `idempotency_level` of `google/protobuf/descriptor.proto`.
public enum IdempotencyLevel: Sendable {
  case unknown
  /// Reads only.
  case noSideEffects
  /// The second call changes nothing more.
  case idempotent

  /// Whether a call may move to another replica when the first one failed.
  public var allowsRetry: Bool { self != .unknown }
}

/// Which sides stream.
public enum CallType: Sendable {
  case unary, clientStreaming, serverStreaming, bidirectional
}

/// What both sides know of a method. Generated from the `.proto` files.
public struct MethodDescriptor<Request: Message, Response: Message>: Sendable {
  /// Full name with package, e.g. `omsconnector.v1.InventoryService`.
  public let service: String
  /// E.g. `GetStock`.
  public let method: String
  public let type: CallType
  public let idempotency: IdempotencyLevel
  /// `/service/method`.
  public let path: String

  public init(service: String, method: String, type: CallType, idempotency: IdempotencyLevel = .unknown) {
    self.service = service
    self.method = method
    self.type = type
    self.idempotency = idempotency
    path = "/\(service)/\(method)"
  }
}
