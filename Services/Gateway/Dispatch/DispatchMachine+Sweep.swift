// What has waited for too long at a destination that is away: it is given up without a try, as single tries would take for ever.
extension DispatchMachine {
  struct Sweep: Sendable {
    /// Since when all tries have found the destination away.
    var awaySince: WallTime?
    var isUnderWay = false
    /// As far as the queue was looked through.
    var place: Int64 = 0
    /// When it is to be looked through next.
    var next: WallTime?
  }

  /// Between two looks through the queue.
  static let sweepInterval = Duration.seconds(60)

  /// When ``sweepDue(_:_:)`` has something to do.
  var sweepTime: WallTime? {
    guard policy.lifetime != nil, let awaySince = sweep.awaySince, !sweep.isUnderWay, !isScanning else { return nil }
    return max(awaySince + policy.patience, sweep.next ?? awaySince)
  }

  mutating func destinationAway(_ now: WallTime) {
    // Else somebody has set the clock back.
    if let since = sweep.awaySince, since <= now { return }
    sweep = Sweep(awaySince: now, isUnderWay: sweep.isUnderWay)
  }

  /// Not while the cursor is on its way, which could bring back what has gone.
  mutating func sweepDue(_ now: WallTime, _ actions: inout [Action]) {
    guard let lifetime = policy.lifetime, let due = sweepTime, due <= now else { return }
    sweep.isUnderWay = true
    actions.append(.sweep(after: sweep.place, before: now - lifetime))
  }

  /// - Returns: what is to be given up. It is not delivered any more; ``swept(_:_:before:now:)`` has to follow.
  mutating func beginSweep(_ page: PendingPage, before: WallTime) -> [PendingMessage] {
    var old: [PendingMessage] = []
    for message in page.messages where message.waitingSince <= before {
      // A try that is under way decides by itself.
      if lanes[LaneID(message)]?.unsettled.contains(message.id) == true { continue }
      if withheld.insert(message.id).inserted { old.append(message) }
    }
    return old
  }

  /// The queue could not be read: ``nextActions(now:)`` asks again.
  mutating func sweepFailed() { sweep.isUnderWay = false }

  /// That these were given up is durable.
  mutating func swept(_ messages: [PendingMessage], _ page: PendingPage, before: WallTime, now: WallTime) {
    sweep.isUnderWay = false
    for message in messages {
      withheld.remove(message.id)
      drop(message)
    }
    // What was replayed is younger than its place in the queue.
    let goesOn = !page.isLast && page.messages.contains { $0.waitingSince <= before || $0.replayCount > 0 }
    sweep.place = goesOn ? page.messages.last?.id ?? 0 : 0
    sweep.next = goesOn ? now : now + Self.sweepInterval
    wantsScan = true
  }

  private mutating func drop(_ message: PendingMessage) {
    let id = LaneID(message)
    guard var lane = lanes[id] else {
      // It may have been evicted, and was the way back to the rest of its key: the cursor comes to that again.
      if !message.key.isEmpty && evicted.oldest != nil { cursor = min(cursor, message.id) }
      return
    }
    if let index = lane.buffer.firstIndex(where: { $0.id == message.id }) { unbuffer(lane.buffer.remove(at: index)) }
    switch lane.state {
    case .parked(message.id, _, _): unpark(&lane)
    case .loading(message.id): lane.isLoadStale = true
    default: break
    }
    if lane.refilling != nil { lane.isRefillStale = true }
    lanes[id] = lane
    makeReady(id)
  }
}
