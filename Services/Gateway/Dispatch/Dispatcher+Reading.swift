import ServiceKit

// What the machine wants to know of the journal.
extension Dispatcher {
  func scan(_ after: Int64) async {
    do {
      machine.scanned(
        try await store.pending(
          destination: destination, partition: partition, after: after, limits: machine.limits.page),
        now: now())
      pump()
    } catch {
      _ = await waitForStore(error)
      machine.scanFailed()
      pump()
    }
  }

  func refill(_ key: String, _ after: Int64, _ through: Int64) async {
    var limits = machine.limits.page
    limits.rows = machine.limits.laneRows
    do {
      let page = try await store.pending(
        destination: destination, partition: partition, key: key, after: after, through: through, limits: limits)
      machine.refilled(key, through: through, page, now: now())
      pump()
    } catch {
      _ = await waitForStore(error)
      machine.refillFailed(key)
      pump()
    }
  }

  func resume(_ place: DueMessage.Place) async {
    do {
      machine.resumed(
        try await store.due(
          destination: destination, partition: partition, after: place, limit: machine.limits.page.rows), now: now())
      pump()
    } catch {
      _ = await waitForStore(error)
      machine.resumeFailed()
      pump()
    }
  }

  func load(_ id: Int64, _ lane: DispatchMachine.LaneID) async {
    // Its end may be on its way into the journal, which would give it out once more.
    if unsettled[id] != nil { await withCheckedContinuation { unsettled[id]?.append($0) } }
    do {
      machine.loaded(id, lane, try await store.pending(id))
      pump()
    } catch {
      report(error)
      machine.loadFailed(id, lane, now: now(), retryAfter: Self.storeRetry)
      pump()
    }
  }

  /// - Returns: false when the gateway stops.
  func waitForStore(_ error: any Error) async -> Bool {
    report(error)
    guard isRunning else { return false }
    do {
      try await Task.sleep(for: Self.storeRetry)
      return true
    } catch {
      return false
    }
  }

  /// Once per kind of trouble, not once per message.
  func report(_ error: any Error) {
    let text = "\(error)"
    guard text != lastStoreError else { return }
    lastStoreError = text
    Log.error("the journal fails", ["destination": "\(destination)", "reason": LogValue(error)])
  }
}
