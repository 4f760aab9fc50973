import RPC

/// The way to the OMS, and what keeps messages from it.
struct OutboundLink: Sendable {
  /// nil without an OMS.
  let sender: BusSender?
  let limiter: SendLimiter
  /// Why nothing goes to the OMS now by somebody's will; nil when something does.
  var heldBack: @Sendable () async -> String? = { nil }

  static let noOMS = "there is no OMS: set OMS_URL and start the gateway again"

  /// Why nothing goes to the OMS now; nil when something does.
  func reasonToHold() async -> String? { sender == nil ? Self.noOMS : await heldBack() }

  /// Tries a message of the queue once, after its turn of the limiter.
  func deliver(_ message: PendingMessage, _ route: BusRoute) async -> DeliveryOutcome {
    guard let sender else { return .held(Self.noOMS) }
    if let reason = await heldBack() { return .held(reason) }
    return await sender.send(
      deliveryID: message.deliveryID, method: message.method, params: message.body, route: route,
      traceparent: message.traceparent
    ).outcome
  }

  /// Asks the OMS, once, as soon as the limits let it.
  ///
  /// - Parameter limit: what is left of the caller's time.
  /// - Throws: FAILED_PRECONDITION when nothing may go to the OMS; RESOURCE_EXHAUSTED when too many calls wait.
  func ask(_ message: OutgoingMessage, limit: Duration?) async throws(RPCError) -> BusVerdict {
    guard let sender else { throw RPCError(.failedPrecondition, Self.noOMS) }
    if let reason = await heldBack() { throw RPCError(.failedPrecondition, reason) }
    let start = ContinuousClock.now
    guard await limiter.begin(.call) else {
      throw RPCError(
        .resourceExhausted,
        "\(SendLimits.maxWaitingCalls) calls wait for the OMS already: try again later, or raise OMS_MAX_CONCURRENCY and "
          + "OMS_MAX_RATE", details: [.retryInfo(.seconds(1))])
    }
    let verdict = await sender.send(
      deliveryID: message.deliveryID, method: message.method, params: message.body, route: .remote,
      traceparent: message.traceparent, isSentOnce: true,
      limit: limit.map { max(.milliseconds(1), $0 - (.now - start)) })
    await limiter.end()
    return verdict
  }
}
