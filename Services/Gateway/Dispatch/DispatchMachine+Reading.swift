// What the journal answers.
extension DispatchMachine {
  /// The journal could not be read: ``nextActions(now:)`` asks again.
  mutating func scanFailed() {
    isScanning = false
    givenUpMeanwhile = []
    wantsScan = true
  }

  mutating func scanned(_ page: PendingPage, now: WallTime) {
    isScanning = false
    defer { givenUpMeanwhile = [] }
    for message in page.messages where !givenUpMeanwhile.contains(message.id) {
      let id = LaneID(message)
      if lanes[id] == nil && lanes.count >= limits.lanes && !evict(now) {
        wantsScan = true
        return
      }
      cursor = message.id
      // After a step back of the cursor.
      if let lane = lanes[id], message.id <= lane.lastSeen { continue }
      add(message, id, now)
    }
    if !page.isLast { wantsScan = true }
  }

  mutating func add(_ message: PendingMessage, _ id: LaneID, _ now: WallTime) {
    var lane = lanes[id] ?? newLane(for: message)
    let isNext = lane.state == .idle && lane.buffer.isEmpty && !lane.hasMore
    if isNext, let due = message.nextAttemptAt, due > now {
      // From before a restart.
      lane.lastLoaded = message.id
      parkStored(&lane, message.id, until: due, byDestination: true, now)
    } else if !lane.hasMore && !isParked(lane) && lane.buffer.count < limits.laneRows {
      lane.lastLoaded = message.id
      buffer(message, in: &lane)
    }
    lane.lastSeen = message.id
    lanes[id] = lane
    makeReady(id)
  }

  mutating func refill(_ actions: inout [Action]) {
    while reads < limits.reads, buffered.rows < limits.buffered.rows, buffered.weight < limits.buffered.weight,
      let id = wantsRefill.popFirst()
    {
      guard case .key(let key) = id, let lane = lanes[id], lane.hasMore, lane.refilling == nil, !isParked(lane) else {
        continue
      }
      lanes[id]?.refilling = lane.lastSeen
      lanes[id]?.settledMeanwhile = []
      reads += 1
      actions.append(.refill(key: key, after: lane.lastLoaded, through: lane.lastSeen))
    }
  }

  mutating func refilled(_ key: String, through: Int64, _ page: PendingPage, now: WallTime) {
    reads -= 1
    let id = LaneID.key(key)
    guard var lane = lanes[id] else { return }
    lane.refilling = nil
    if !lane.isRefillStale {
      if lane.isCold, lane.state == .idle, let first = page.messages.first, let due = first.nextAttemptAt,
        !isDue(due, now), !lane.isUnderWay(first.id)
      {
        lane.lastLoaded = first.id
        parkStored(&lane, first.id, until: due, byDestination: false, now)
      } else {
        for message in page.messages where !lane.isUnderWay(message.id) { buffer(message, in: &lane) }
        lane.lastLoaded = page.isLast ? through : page.messages.last?.id ?? lane.lastLoaded
      }
      lane.isCold = false
    }
    lane.isRefillStale = false
    lane.settledMeanwhile = []
    lanes[id] = lane
    makeReady(id)
  }

  /// A lane could not be read: it asks again.
  mutating func refillFailed(_ key: String) {
    reads -= 1
    guard var lane = lanes[.key(key)] else { return }
    (lane.refilling, lane.isRefillStale, lane.settledMeanwhile) = (nil, false, [])
    lanes[.key(key)] = lane
    wantsRefill.append(.key(key))
  }

  mutating func load(_ message: Int64, _ id: LaneID, _ actions: inout [Action]) {
    loads += 1
    lanes[id]?.state = .loading(message)
    actions.append(.load(message, id))
  }

  /// - Parameter message: nil when it does not wait any more.
  mutating func loaded(_ id: Int64, _ laneID: LaneID, _ message: PendingMessage?) {
    loads -= 1
    guard var lane = lanes[laneID] else { return }
    if lane.state == .loading(id) { lane.state = .idle }
    if let message, !lane.isLoadStale {
      lane.buffer.insert(message, at: 0)
      rebuffer(message)
    }
    lane.isLoadStale = false
    lanes[laneID] = lane
    makeReady(laneID)
  }

  /// A message could not be read: it is tried again at that time.
  mutating func loadFailed(_ id: Int64, _ laneID: LaneID, now: WallTime, retryAfter delay: Duration) {
    loads -= 1
    park(laneID, id, Wait(until: now + delay, from: now), byDestination: false)
  }
}
