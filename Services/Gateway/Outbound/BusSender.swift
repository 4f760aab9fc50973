import EventLoop
import RPC
import ServiceKit

/// Sends one message to the OMS and says what came of it.
struct BusSender: Sendable {
  let bus: BusClient
  let paths: BusPaths
  /// OMS_TIMEOUT: for one request.
  let timeout: Duration
  var now: @Sendable () -> WallTime = { .now }
  /// Told when an answer looks as if the OMS did not know the connector (any more).
  var suspectLost: @Sendable () async -> Void = {}
  /// How long the OMS takes, by method, for the report.
  var timings: Timings?

  /// - Parameters:
  ///   - params: JSON text, an object.
  ///   - traceparent: of the call that the message comes from.
  ///   - isSentOnce: see `HTTPRequest`.
  ///   - limit: less than the usual time.
  func send(
    deliveryID: String, method: String, params: [UInt8], route: BusRoute, traceparent: String,
    isSentOnce: Bool = false, limit: Duration? = nil
  ) async -> BusVerdict {
    let start = EventLoop.monotonicNanoseconds()
    let verdict = await sent(
      deliveryID: deliveryID, method: method, params: params, route: route, traceparent: traceparent,
      isSentOnce: isSentOnce, limit: limit)
    // What is given up by this side says nothing of the OMS.
    if !Task.isCancelled {
      timings?.record(
        kind: .busMethod, endpoint: method, failed: !verdict.isTaken,
        duration: .nanoseconds(Int64(EventLoop.monotonicNanoseconds() - start)))
    }
    return verdict
  }

  private func sent(
    deliveryID: String, method: String, params: [UInt8], route: BusRoute, traceparent: String, isSentOnce: Bool,
    limit: Duration?
  ) async -> BusVerdict {
    var headers = route.headers
    headers["traceparent"] = Self.nextHop(traceparent)
    let body = JSONRPCEnvelope.bytes(deliveryID: deliveryID, method: method, params: params)
    do throws(ServiceBusError) {
      let response = try await bus.post(
        path: paths[route], body: body, headers: headers, isSentOnce: isSentOnce,
        timeout: min(timeout, limit ?? timeout))
      let reply = ServiceBusReply(response)
      let verdict = BusVerdict(reply, now: now(), clean: bus.withoutSecrets)
      if reply.failure?.mayMeanUnregistered == true { await suspectLost() }
      return verdict
    } catch {
      // An answer may have been on its way.
      if Task.isCancelled { return .away("given up before the OMS had answered: the gateway stops, or nobody waits") }
      return BusVerdict(error, clean: bus.withoutSecrets)
    }
  }

  private static func nextHop(_ traceparent: String) -> String {
    var received = ReceivedTrace()
    if !traceparent.isEmpty { received.receive(traceparent: traceparent) }
    var random = SystemRandomNumberGenerator()
    return received.context(&random).traceparent
  }
}
