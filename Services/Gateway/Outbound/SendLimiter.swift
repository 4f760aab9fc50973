/// Lets messages go to the OMS as ``SendLimits`` says.
actor SendLimiter: DeliveryTurns {
  private var limits: SendLimits
  private var waiting: [SendLimits.Ticket: CheckedContinuation<Bool, Never>] = [:]
  private var timer: (due: ContinuousClock.Instant, task: Task<Void, Never>)?

  init(_ limits: SendLimits) { self.limits = limits }

  /// A turn for a message of the queue.
  func begin() async -> Bool { await begin(.delivery) }

  /// Waits for a turn.
  ///
  /// - Returns: true when the caller may send and has to call ``end()`` after that; false when too many calls wait already, or
  ///   its task was cancelled.
  func begin(_ urgency: SendLimits.Urgency) async -> Bool {
    guard !Task.isCancelled, let ticket = limits.request(urgency) else { return false }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        waiting[ticket] = continuation
        // It may have been cancelled before it was there to be found.
        if Task.isCancelled { giveUp(ticket) } else { admit() }
      }
    } onCancel: {
      Task { await self.giveUp(ticket) }
    }
  }

  func end() {
    limits.released()
    admit()
  }

  /// So many gateways send to the same OMS.
  func share(among gateways: Int) {
    limits.share(among: gateways)
    admit()
  }

  private func giveUp(_ ticket: SendLimits.Ticket) {
    limits.withdraw(ticket)
    waiting.removeValue(forKey: ticket)?.resume(returning: false)
  }

  private func admit() {
    for ticket in limits.admissions(now: .now) { waiting.removeValue(forKey: ticket)?.resume(returning: true) }
    setTimer()
  }

  private func setTimer() {
    let due = limits.nextDue
    if due == timer?.due { return }
    timer?.task.cancel()
    timer = due.map { due in
      (
        due,
        Task {
          // A cancelled sleep is a timer that was set anew.
          guard (try? await Task.sleep(until: due, clock: .continuous)) != nil else { return }
          self.timerFired()
        }
      )
    }
  }

  private func timerFired() {
    timer = nil
    admit()
  }
}
