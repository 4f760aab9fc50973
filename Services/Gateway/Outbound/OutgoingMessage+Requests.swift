import Messages
import RPC
import Storage

/// What the gateway takes to deliver it to the OMS.
enum OutgoingLimits {
  /// Bytes.
  static let deliveryID = 256
  /// Bytes. These are the limits of the services' outboxes, so that nothing is durable there that is refused here.
  static let method = Outbox.maximumMethodBytes
  /// Bytes. Longer keys are refused, not cut: what shares a key by mistake waits for each other.
  static let key = Outbox.maximumKeyBytes
  /// Bytes. With what travels with it, it fits a gRPC message of 4 MiB.
  static let body = Outbox.maximumBodyBytes
}

extension OutgoingMessage {
  /// - Throws: INVALID_ARGUMENT with every field that is wrong.
  init(_ request: Omsconnector.Internal.V1.EnqueueRequest, traceparent: String) throws(RPCError) {
    var wrong = Violations()
    wrong.checkID(request.deliveryId)
    wrong.checkMethod(request.method)
    wrong.checkKey(request.key)
    wrong.checkBody(request.body)
    let route = BusRoute(request.route)
    if route == nil {
      wrong.add("route", "route is \(request.route.rawValue); send BUS_ROUTE_REMOTE, _DELEGATE or _EVENTS")
    }
    try wrong.throwIfAny()
    self.init(
      deliveryID: request.deliveryId, method: request.method, key: request.key, destination: route?.rawValue ?? "",
      body: request.body, traceparent: traceparent)
  }

  /// In the journal, where messages of the queue have their route. A call is sent once: it is no dispatcher's.
  static let callDestination = "call"

  /// A question to the OMS, with an id of its own.
  ///
  /// - Throws: INVALID_ARGUMENT with every field that is wrong.
  init(_ request: Omsconnector.Internal.V1.CallRequest, traceparent: String) throws(RPCError) {
    var wrong = Violations()
    wrong.checkMethod(request.method)
    wrong.checkBody(request.body)
    try wrong.throwIfAny()
    let number = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    self.init(
      deliveryID: "call-" + String(number.0, radix: 16) + String(number.1, radix: 16), method: request.method, key: "",
      destination: Self.callDestination, body: request.body, traceparent: traceparent)
  }
}

/// The wrong fields of a request.
private struct Violations {
  private var found: [ErrorDetail.FieldViolation] = []

  mutating func add(_ field: String, _ message: String) { found.append(.init(field: field, description: message)) }

  mutating func checkID(_ id: String) {
    if id.isEmpty {
      add("delivery_id", "delivery_id is missing: send the message's id, unique for ever")
    } else if id.utf8.count > OutgoingLimits.deliveryID {
      add("delivery_id", "delivery_id has \(id.utf8.count) bytes; at most \(OutgoingLimits.deliveryID)")
    }
  }

  /// Source: messages.md §1, "Name grammar".
  mutating func checkMethod(_ method: String) {
    let names = method.split(separator: ".", omittingEmptySubsequences: false)
    let isMethod =
      method.utf8.count <= OutgoingLimits.method && names.count == 4 && names[0] == "magento"
      && names.allSatisfy(Self.isSnakeCase)
    if !isMethod {
      add("method", "method \(JSONText.quoted(method, limit: 100)) is no magento.<domain>.<service>.<operation>")
    }
  }

  mutating func checkKey(_ key: String) {
    if key.utf8.count > OutgoingLimits.key {
      add("key", "key has \(key.utf8.count) bytes; at most \(OutgoingLimits.key)")
    }
  }

  mutating func checkBody(_ body: [UInt8]) {
    guard body.count <= OutgoingLimits.body else {
      return add("body", "body has \(body.count) bytes; at most \(OutgoingLimits.body): send the message in parts")
    }
    do throws(MessageError) {
      if try CompactJSON(parsing: body).kind != .object {
        add("body", "body is no JSON object: the bus takes params that are one")
      }
    } catch {
      add("body", "body: \(error)")
    }
  }

  func throwIfAny() throws(RPCError) {
    if found.isEmpty { return }
    throw RPCError(
      .invalidArgument, found.map(\.description).joined(separator: "; "), details: [.badRequest(found)])
  }

  private static func isSnakeCase(_ name: Substring) -> Bool {
    guard let first = name.utf8.first, (0x61...0x7A).contains(first) else { return false }
    return name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") }
  }
}
