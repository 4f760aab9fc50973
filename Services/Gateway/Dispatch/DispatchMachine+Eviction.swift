// More keys than lanes: those that wait longest for their next try wait in the journal alone.
extension DispatchMachine {
  /// What is known of the keys that have no lane although the cursor has passed messages of theirs.
  struct Evicted: Sendable {
    /// No evicted message is older; nil when there is none.
    var oldest: Int64?
    /// When the journal is to be asked for those that are due.
    var next: Wait?
    /// As far as it was asked.
    var place = DueMessage.Place.start
    var isReading = false
    /// The first of those that were evicted since the journal was last asked from the start.
    var nextSinceStart: Wait?
    /// The last time there was nothing to evict, and nothing has been parked since.
    var isInVain = false
  }

  /// The journal is asked again that long after it was asked, so that it is not for each message alone.
  static let resumeInterval = Duration.seconds(1)

  /// Whether one more key can have a lane.
  var hasLane: Bool { lanes.count < limits.lanes || canEvict }

  /// Not while the destination is away: no other key could be tried, and all can go on at once when it is back.
  private var canEvict: Bool { stored > 0 && !evicted.isInVain && breaker.openUntil == nil }

  /// Takes their lanes from those keys whose next try is last: an eighth at once, as it takes a look at all.
  ///
  /// - Returns: whether there is room now.
  mutating func evict(_ now: WallTime) -> Bool {
    guard canEvict else { return false }
    var waiting: [(id: LaneID, message: Int64, wait: Wait)] = []
    for (id, lane) in lanes where lane.isStored && lane.refilling == nil && lane.unsettled.isEmpty {
      // Of a key with a replayed message before the one that it waits for, only the lane knows.
      guard case .parked(let message, let wait, _) = lane.state, !wait.isOver(now), !withheld.contains(message),
        lane.lastLoaded >= message
      else { continue }
      waiting.append((id, message, wait))
    }
    evicted.isInVain = waiting.isEmpty
    waiting.sort { ($0.wait.until, $0.message) > ($1.wait.until, $1.message) }
    for (id, message, wait) in waiting.prefix(max(1, limits.lanes / 8)) {
      lanes[id] = nil
      parked -= 1
      stored -= 1
      evicted.oldest = min(evicted.oldest ?? message, message)
      evicted.next = Self.earlier(evicted.next, wait)
      evicted.nextSinceStart = Self.earlier(evicted.nextSinceStart, wait)
    }
    return lanes.count < limits.lanes
  }

  /// A lane for a key that has none. Messages of the key may have been evicted: those come first.
  func newLane(for message: PendingMessage) -> Lane {
    guard !message.key.isEmpty, let oldest = evicted.oldest else { return Lane(lastLoaded: message.id - 1) }
    return Lane(lastLoaded: min(oldest, message.id) - 1, lastSeen: message.id, isCold: true)
  }

  /// A lane for a message that the cursor has passed, with what else there may be of its key; nil when nothing is evicted.
  func laneAround(_ message: Int64, _ id: LaneID) -> Lane? {
    guard case .key = id, let oldest = evicted.oldest else { return nil }
    return Lane(lastLoaded: min(oldest, message) - 1, lastSeen: max(message, cursor), isCold: true)
  }

  private static func earlier(_ one: Wait?, _ other: Wait) -> Wait {
    one.map { $0.until <= other.until ? $0 : other } ?? other
  }

  // MARK: The way back

  /// When ``resumeEvicted(_:_:)`` has something to do.
  var resumeTime: WallTime? { evicted.isReading || !hasLane ? nil : evicted.next?.until }

  mutating func resumeEvicted(_ now: WallTime, _ actions: inout [Action]) {
    guard resumeTime != nil, evicted.next?.isOver(now) == true else { return }
    evicted.isReading = true
    if evicted.place == .start { evicted.nextSinceStart = nil }
    actions.append(.resume(after: evicted.place))
  }

  /// What waits for its next try, in the order of that, whether it was evicted or not.
  mutating func resumed(_ page: DuePage, now: WallTime) {
    evicted.isReading = false
    for message in page.messages {
      guard isDue(message.place.due, now) else { return endResuming(next: message.place.due, now) }
      let id = LaneID(message.id, key: message.key)
      if lanes[id] == nil {
        guard lanes.count < limits.lanes || evict(now) else { return }
        var lane = Lane(lastLoaded: message.id, lastSeen: message.key.isEmpty ? message.id : max(message.id, cursor))
        parkStored(&lane, message.id, until: min(message.place.due, now), byDestination: false, now)
        lanes[id] = lane
      }
      evicted.place = message.place
    }
    if page.isLast { endResuming(next: nil, now) }
  }

  /// The journal could not be read: ``nextActions(now:)`` asks again.
  mutating func resumeFailed() { evicted.isReading = false }

  private mutating func endResuming(next: WallTime?, _ now: WallTime) {
    let times = [next, evicted.nextSinceStart?.until].compactMap { $0 }
    evicted.place = .start
    evicted.next = times.min().map {
      Wait(until: min(max($0, now + Self.resumeInterval), now + longestWait), from: now)
    }
    if times.isEmpty { evicted.oldest = nil }
  }

  /// A time that is further away than any delay was noted before somebody set the clock back.
  func isDue(_ time: WallTime, _ now: WallTime) -> Bool { time <= now || time - now > longestWait }
}
