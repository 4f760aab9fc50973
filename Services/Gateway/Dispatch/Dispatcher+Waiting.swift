// Those who wait for the end of a message.
extension Dispatcher {
  /// Waits for the next try of a message to end.
  ///
  /// - Returns: what became of it then, which may be `PENDING` still; nil when the gateway stops.
  func outcome(of id: Int64) async -> Receipt? {
    lastWaiter += 1
    let number = lastWaiter
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        guard !isStopped, !Task.isCancelled else { return continuation.resume(returning: nil) }
        waiters[id, default: [:]][number] = continuation
        machine.woken()
        pump()
        // It may have ended before anybody waited for it.
        start { await self.answerIfEnded(id) }
      }
    } onCancel: {
      Task { await self.forget(number, of: id) }
    }
  }

  func answerIfEnded(_ id: Int64) async {
    do {
      guard let receipt = try await store.receipt(id), receipt.status != .pending else { return }
      for waiter in (waiters.removeValue(forKey: id) ?? [:]).values { waiter.resume(returning: receipt) }
    } catch {
      report(error)
    }
  }

  /// The same message may have been sent several times, and each sender waits on its own.
  func forget(_ number: Int, of id: Int64) {
    guard let waiter = waiters[id]?.removeValue(forKey: number) else { return }
    if waiters[id]?.isEmpty == true { waiters[id] = nil }
    waiter.resume(returning: nil)
  }

  func answer(_ message: PendingMessage, _ decision: DispatchMachine.Decision, _ outcome: DeliveryOutcome) {
    guard let waiting = waiters.removeValue(forKey: message.id) else { return }
    var receipt = Receipt(id: message.id, isDuplicate: false, status: .pending, reason: outcome.reason, result: [])
    if case .finish(let status, let reason, let result) = decision {
      (receipt.status, receipt.reason, receipt.result) = (status, reason, result)
    }
    for waiter in waiting.values { waiter.resume(returning: receipt) }
  }
}
