import RPC

/// The way to the OMS, and what keeps messages from it.
struct OutboundLink: Sendable {
  /// nil without an OMS.
  let sender: BusSender?
  /// Why nothing goes to the OMS now by somebody's will; nil when something does.
  var heldBack: @Sendable () async -> String? = { nil }

  static let noOMS = "there is no OMS: set OMS_URL and start the gateway again"

  /// Tries a message of the queue once.
  func deliver(_ message: PendingMessage, _ route: BusRoute) async -> DeliveryOutcome {
    guard let sender else { return .unavailable(Self.noOMS, retryAfter: nil) }
    if let reason = await heldBack() { return .unavailable(reason, retryAfter: nil) }
    return await sender.send(
      deliveryID: message.deliveryID, method: message.method, params: message.body, route: route,
      traceparent: message.traceparent
    ).outcome
  }

  /// Asks the OMS, at once and once.
  ///
  /// - Parameter limit: what is left of the caller's time.
  /// - Throws: FAILED_PRECONDITION when nothing may go to the OMS.
  func ask(_ message: OutgoingMessage, limit: Duration?) async throws(RPCError) -> BusVerdict {
    guard let sender else { throw RPCError(.failedPrecondition, Self.noOMS) }
    if let reason = await heldBack() { throw RPCError(.failedPrecondition, reason) }
    return await sender.send(
      deliveryID: message.deliveryID, method: message.method, params: message.body, route: .remote,
      traceparent: message.traceparent, limit: limit)
  }
}
