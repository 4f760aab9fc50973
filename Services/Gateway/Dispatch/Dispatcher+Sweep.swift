import ServiceKit

// What has waited for too long.
extension Dispatcher {
  /// Messages of one transaction.
  static let sweepRows = 256

  func sweep(_ after: Int64, _ before: WallTime) async {
    var limits = machine.limits.page
    limits.rows = min(limits.rows, Self.sweepRows)
    let page: PendingPage
    do {
      page = try await store.pending(destination: destination, partition: partition, after: after, limits: limits)
    } catch {
      _ = await waitForStore(error)
      machine.sweepFailed()
      return pump()
    }
    let old = machine.beginSweep(page, before: before)
    guard await giveUp(old) else { return }
    machine.swept(old, page, before: before, now: now())
    // Its notices may have to go the same way.
    machine.woken()
    pump()
    for message in old where waiters[message.id] != nil { await answerIfEnded(message.id) }
    if !old.isEmpty { await notice?.committed() }
  }

  /// However long that takes: they were taken out of the queue in memory.
  ///
  /// - Returns: false when the gateway stops before it is durable.
  private func giveUp(_ messages: [PendingMessage]) async -> Bool {
    guard !messages.isEmpty, let lifetime = policy.lifetime else { return true }
    let (lastError, status, make) = (machine.breaker.lastError, policy.givenUp, notice?.make)
    let hours = lifetime.components.seconds / 3600
    while true {
      do {
        try await store.giveUp(messages, status, at: now()) { message in
          let reason = "given up after \(hours) hours and \(message.attempts.count) tries: \(lastError)"
          return (reason, make?(message, reason))
        }
        Log.warning(
          "messages given up",
          ["count": LogValue(messages.count), "destination": "\(destination)", "reason": "\(lastError)"])
        return true
      } catch {
        guard await waitForStore(error) else { return false }
      }
    }
  }
}
