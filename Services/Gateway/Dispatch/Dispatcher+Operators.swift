import ServiceKit

// What operators do to messages.
extension Dispatcher {
  /// A message that had ended waits in the journal again.
  ///
  /// - Returns: false when too many such messages wait already: try again.
  func requeue(_ id: Int64, key: String) -> Bool {
    defer { pump() }
    return machine.requeue(id, key: key)
  }

  /// As ``requeue(_:key:)``, as soon as there is room. A gateway that stops finds the message when it starts again.
  func requeueWhenPossible(_ id: Int64, key: String) async {
    while isRunning, !requeue(id, key: key) {
      if !machine.canRequeue { await withCheckedContinuation { waitingForRoom.append($0) } }
    }
  }

  /// Returns when ``requeue(_:key:)`` may have room, or the dispatcher stops.
  func untilRoom() async {
    if isRunning, !machine.canRequeue { await withCheckedContinuation { waitingForRoom.append($0) } }
  }

  func letWaitersTry() {
    let waiting = waitingForRoom
    waitingForRoom = []
    for waiter in waiting { waiter.resume() }
  }

  /// Runs `body`, which takes a message out of the queue, while that can't be delivered.
  ///
  /// - Returns: false, without running it, when it is being delivered right now.
  func withholding(_ id: Int64, key: String, _ body: @Sendable () async throws -> Void) async throws -> Bool {
    guard machine.withhold(id, key: key) else { return false }
    do {
      try await body()
      machine.released(id, key: key)
      pump()
      return true
    } catch {
      machine.released(id, key: key)
      // When that has no room either, a restart finds the message: nothing is lost.
      if !machine.requeue(id, key: key) { Log.warning("waits for a restart", ["journal_id": LogValue(Int(id))]) }
      pump()
      throw error
    }
  }

  /// For `omsctl queue`.
  var breaker: CircuitBreaker { machine.breaker }
}
