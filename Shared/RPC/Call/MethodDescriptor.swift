import Messages

/// Whether a method may be called again when nobody knows whether the first call had its effect.
/// Source: `idempotency_level` of `google/protobuf/descriptor.proto`.
public enum IdempotencyLevel: Sendable {
  /// The second call may have its effect once more: it is made only when no server has seen the first.
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
  /// One message each way; or any number of them from the client, from the server, from both.
  case unary, clientStreaming, serverStreaming, bidirectional
}

/// What both sides know of a method. Generated from the `.proto` files.
public struct MethodDescriptor<Request: Message, Response: Message>: Sendable {
  /// Full name with package, e.g. `omsconnector.v1.InventoryService`.
  public let service: String
  /// E.g. `GetStock`.
  public let method: String
  /// Which sides stream.
  public let type: CallType
  /// Whether it may be called again.
  public let idempotency: IdempotencyLevel
  /// `/service/method`.
  public let path: String

  /// For generated code, which has them from the `.proto` files.
  public init(service: String, method: String, type: CallType, idempotency: IdempotencyLevel = .unknown) {
    self.service = service
    self.method = method
    self.type = type
    self.idempotency = idempotency
    path = "/\(service)/\(method)"
  }
}
