// What operators do to messages.
extension DispatchMachine {
  /// Whether one more replayed message may wait to be read.
  var canRequeue: Bool { requeued.count < limits.requeued }

  /// A message that had ended waits again. It is delivered before what is newer of its key and still waits.
  ///
  /// - Returns: false when too many wait to be read; ask again when some have been.
  mutating func requeue(_ id: Int64, key: String) -> Bool {
    guard canRequeue else { return false }
    requeued.append((id, LaneID(id, key: key)))
    // The cursor may be before it, and nothing else may make it go on.
    wantsScan = true
    return true
  }

  /// Reads replayed messages, those that the cursor has passed: it comes to the others by itself.
  mutating func readRequeued(_ now: WallTime, _ actions: inout [Action]) {
    guard !requeued.isEmpty else { return }
    var later: [(id: Int64, lane: LaneID)] = []
    for (id, laneID) in requeued {
      let mayHaveLane = id <= cursor && (lanes[laneID] != nil || lanes.count < limits.lanes || evict(now))
      if !mayHaveLane || !readAgain(id, laneID, &actions) { later.append((id, laneID)) }
    }
    requeued = later
  }

  /// A message behind the cursor is to be delivered. The lane reads on from there, so that its messages stay in order however
  /// many of them are replayed; what it held beyond is read once more. A message that has been tried stays the lane's first.
  ///
  /// - Returns: false when there is no room.
  mutating func readAgain(_ id: Int64, _ laneID: LaneID, _ actions: inout [Action]) -> Bool {
    var lane = lanes[laneID] ?? laneAround(id, laneID) ?? Lane(lastLoaded: id - 1, lastSeen: id - 1)
    switch lane.state {
    // It was given up while it waited: now it is like any other, and older ones that were replayed come before it.
    case .parked(id, _, _): unpark(&lane)
    case .loading(id):
      lane.isLoadStale = true
      lane.lastLoaded = min(lane.lastLoaded, id - 1)
      lane.lastSeen = max(lane.lastSeen, id)
      lanes[laneID] = lane
      return true
    default: break
    }
    if lane.unsettled.contains(id) {
      lanes[laneID]?.again.insert(id)
      return true
    }
    if lane.buffer.contains(where: { $0.id == id }) { return true }
    if case .single = laneID {
      guard canLoad else { return false }
      (lane.lastLoaded, lane.lastSeen) = (id, id)
      lanes[laneID] = lane
      load(id, laneID, &actions)
      return true
    }
    if id <= lane.lastLoaded {
      for message in lane.buffer where message.id > id { unbuffer(message) }
      lane.buffer.removeAll { $0.id > id }
      lane.lastLoaded = id - 1
      if lane.state == .ready && lane.buffer.isEmpty { lane.state = .idle }
    }
    lane.lastSeen = max(lane.lastSeen, id)
    if let through = lane.refilling, id <= through { lane.isRefillStale = true }
    lanes[laneID] = lane
    makeReady(laneID)
    return true
  }

  /// Holds a message back, if it comes up, while an operator gives it up; ``released(_:key:)`` ends that.
  ///
  /// - Returns: false when it is being delivered right now, or when too many are held back.
  mutating func withhold(_ id: Int64, key: String) -> Bool {
    if lanes[LaneID(id, key: key)]?.unsettled.contains(id) ?? false { return false }
    guard withheld.count < limits.withheld, givenUpMeanwhile.count < limits.withheld else { return false }
    withheld.insert(id)
    return true
  }

  /// The message does not wait any more, or could not be given up: then it is to be requeued.
  mutating func released(_ id: Int64, key: String) {
    withheld.remove(id)
    // What is being read may have been read before.
    if isScanning { givenUpMeanwhile.insert(id) }
    let laneID = LaneID(id, key: key)
    guard var lane = lanes[laneID] else {
      // It may have been evicted, and was the way back to the rest of its key.
      lanes[laneID] = laneAround(id, laneID)
      return makeReady(laneID)
    }
    if lane.refilling != nil { lane.isRefillStale = true }
    if let index = lane.buffer.firstIndex(where: { $0.id == id }) { unbuffer(lane.buffer.remove(at: index)) }
    switch lane.state {
    case .parked(id, _, let byDestination):
      // Its key goes on at once: the message is looked up, and isn't there.
      lane.state = .parked(id, Wait(until: .distantPast, from: .distantPast), byDestination: byDestination)
      firstDue = .distantPast
    case .loading(id): lane.isLoadStale = true
    default: break
    }
    lanes[laneID] = lane
  }
}
