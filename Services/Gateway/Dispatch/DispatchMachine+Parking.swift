// Lanes that wait for the next try of a message.
extension DispatchMachine {
  /// A lane that waits holds only the number of its next message, so that many may wait.
  mutating func park(_ id: LaneID, _ message: Int64, _ wait: Wait, byDestination: Bool) {
    guard var lane = lanes[id] else { return }
    lane.state = .parked(message, wait, byDestination: byDestination)
    (lane.isStored, lane.willBeStored) = (false, false)
    lane.isRefillStale = lane.refilling != nil
    if let first = lane.buffer.map(\.id).min() {
      for message in lane.buffer { unbuffer(message) }
      lane.buffer = []
      lane.lastLoaded = min(lane.lastLoaded, first - 1)
    }
    lanes[id] = lane
    parked += 1
    firstDue = min(firstDue ?? wait.until, wait.until)
  }

  /// Parks a lane without a buffer until a time that is in the journal.
  mutating func parkStored(
    _ lane: inout Lane, _ message: Int64, until due: WallTime, byDestination: Bool, _ now: WallTime
  ) {
    let wait = Wait(until: min(due, now + longestWait), from: now)
    lane.state = .parked(message, wait, byDestination: byDestination)
    parked += 1
    firstDue = min(firstDue ?? wait.until, wait.until)
    noteStored(&lane)
  }

  mutating func noteStored(_ lane: inout Lane) {
    (lane.isStored, lane.willBeStored) = (true, false)
    stored += 1
    evicted.isInVain = false
  }

  mutating func unpark(_ lane: inout Lane) {
    parked -= 1
    if lane.isStored { stored -= 1 }
    (lane.isStored, lane.willBeStored) = (false, false)
    lane.state = .idle
  }

  /// Reads the parked messages that are due.
  mutating func resumeDue(_ now: WallTime, _ actions: inout [Action]) {
    let wasSetBack = now < lastLook
    lastLook = now
    guard parked > 0, canLoad, let due = firstDue, due <= now || wasSetBack else { return }
    var next: WallTime?
    for (id, lane) in lanes {
      guard case .parked(let message, let wait, _) = lane.state else { continue }
      if wait.isOver(now) && canLoad {
        var lane = lane
        unpark(&lane)
        lanes[id] = lane
        load(message, id, &actions)
      } else {
        next = min(next ?? wait.until, wait.until)
      }
    }
    firstDue = next
  }

  var longestWait: Duration { max(policy.backOff.limit, CircuitBreaker.longestRetryAfter) }

  /// All that waited for the destination need wait no longer.
  mutating func destinationAnswered(_ now: WallTime) {
    sweep = Sweep(isUnderWay: sweep.isUnderWay)
    answers &+= 1
    guard breaker.succeeded(), parked > 0 else { return }
    for (id, lane) in lanes {
      guard case .parked(let message, _, true) = lane.state else { continue }
      lanes[id]?.state = .parked(message, Wait(until: now, from: now), byDestination: true)
    }
    firstDue = now
  }
}
