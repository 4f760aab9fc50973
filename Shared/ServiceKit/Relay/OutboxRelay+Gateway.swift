import EventLoop
import Messages
import RPC
import Storage
import Stubs

// What goes to the gateway, and what comes of it.

extension OutboxRelay {
  func handOver(_ now: UInt64) {
    while now < leasedUntil, let row = window.next(now: now, limit: link.limit(now: now)) {
      // Not in a group: a call outlives the relay's cancellation, for a moment.
      calls[row.id] = Task(executorPreference: loop) { await self.handOver(row) }
    }
  }

  private func handOver(_ row: OutboxRow) async {
    defer {
      calls[row.id] = nil
      stir()
    }
    let message = row.message
    do {
      _ = try await gateway.unary(
        Omsconnector.Internal.V1.DeliveryServiceMethods.enqueue,
        .init(
          deliveryId: row.deliveryID, method: message.method, key: message.key,
          route: .init(rawValue: message.route.rawValue), body: message.body),
        options: CallOptions(timeout: options.callTimeout))
      renewed.remove(row.id)
      window.settle(row.id)
      taken.append(row.id)
      gatewayAnswered()
    } catch let error as RPCError where error.meansIDReused && !renewed.contains(row.id) {
      gatewayAnswered()
      await renew(row)
    } catch let error as RPCError where error.isFinal {
      renewed.remove(row.id)
      window.settle(row.id)
      refused.append((row.id, error.message))
      Log.error(
        "the gateway refuses a message for good; see omsctl outbox",
        [
          "delivery_id": "\(row.deliveryID)", "method": "\(row.message.method)", "key": "\(row.message.key)",
          "reason": LogValue(error),
        ])
      gatewayAnswered()
    } catch {
      failed(row, error)
    }
  }

  /// The row stays, and goes again with an id that nobody has.
  private func renew(_ row: OutboxRow) async {
    let outbox = outbox
    do {
      let again = try await database.write { try outbox.renew($0, row) }
      renewed.insert(row.id)
      window.renew(again)
      window.failed(row.id, now: EventLoop.monotonicNanoseconds())
      Log.warning(
        "the gateway knows another message by this delivery id: this one gets another. Was the store brought back from a backup?",
        ["delivery_id": "\(row.deliveryID)", "new_delivery_id": "\(again.deliveryID)"])
    } catch {
      window.failed(row.id, now: EventLoop.monotonicNanoseconds()) { [options] _ in options.interval.nanoseconds }
      storeFailed(error)
    }
  }

  private func gatewayAnswered() {
    if link.answered() { Log.info("the gateway takes messages again", ["target": "\(gateway.target)"]) }
  }

  private func failed(_ row: OutboxRow, _ error: any Error) {
    let now = EventLoop.monotonicNanoseconds()
    var random = SystemRandomNumberGenerator()
    // The service stops; its messages are handed over when it runs again.
    if Task.isCancelled { return window.failed(row.id, now: now) }
    if let error = error as? RPCError, error.isAboutTheGateway {
      window.failed(row.id, now: now)
      guard link.failed(now: now, using: &random) else { return }
      return Log.warning(
        "the gateway takes no messages: they wait in the outbox",
        ["target": "\(gateway.target)", "reason": LogValue(error)])
    }
    gatewayAnswered()
    window.failed(row.id, now: now) { [options] failures in
      var backOff = BackOff(first: options.firstPause, longest: options.longestPause)
      return (0..<min(failures, 64)).reduce(0) { _, _ in backOff.next(using: &random) }
    }
    guard let suppressed = failureLines.take() else { return }
    Log.warning(
      "a message could not be handed to the gateway; it is tried again",
      [
        "delivery_id": "\(row.deliveryID)", "method": "\(row.message.method)", "reason": LogValue(error),
        "suppressed": LogValue(suppressed),
      ])
  }
}
