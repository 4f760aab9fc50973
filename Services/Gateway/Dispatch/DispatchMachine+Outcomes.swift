extension DispatchMachine {
  /// A try has ended.
  ///
  /// - Parameters:
  ///   - attempts: of the message, this try included.
  ///   - random: 0…1, spreads the next tries.
  /// - Returns: what is to be made durable, after which ``settled(_:_:)`` is to be called; it is also called for `.nothing`.
  mutating func delivered(
    _ message: PendingMessage, _ id: LaneID, _ outcome: DeliveryOutcome, at now: WallTime, random: Double
  ) -> Decision {
    let decision: Decision
    var until: WallTime?
    switch outcome {
    case .delivered(let result):
      destinationAnswered(now)
      decision = .finish(.success, reason: "", result: result)
    case .refused(let reason, let reply):
      destinationAnswered(now)
      decision = .finish(policy.givenUp, reason: reason, result: reply)
    case .failed(let reason):
      destinationAnswered(now)
      let isLast = policy.maximumAttempts.map { message.attempts.count >= $0 } ?? false
      if isLast || isTooOld(message, now) {
        decision = .finish(policy.givenUp, reason: exhausted(message, reason), result: [])
      } else {
        until = now + policy.backOff.delay(afterFailures: message.attempts.count, random: random)
        decision = .postpone(until: until ?? now, reason: reason)
      }
    case .unavailable(let reason, let retryAfter):
      breaker.failed(reason, retryAfter: retryAfter, now: now, random: random)
      destinationAway(now)
      if isTooOld(message, now) {
        decision = .finish(policy.givenUp, reason: exhausted(message, reason), result: [])
      } else {
        let delay = policy.backOff.delay(afterFailures: max(1, message.attempts.count), random: random)
        until = max(now + delay, breaker.openUntil ?? now)
        decision = policy.lifetime == nil ? .nothing : .postpone(until: until ?? now, reason: reason)
      }
    case .held(let reason):
      breaker.held(reason, now: now)
      // Nobody has looked.
      sweep = Sweep(isUnderWay: sweep.isUnderWay)
      until = breaker.openUntil
      decision = .nothing
    }
    if let until {
      park(id, message.id, Wait(until: until, from: now), byDestination: !outcome.isTry)
      if case .postpone = decision { lanes[id]?.willBeStored = true }
    } else if policy.settlesBeforeNext {
      lanes[id]?.state = .settling
    } else {
      lanes[id]?.state = .idle
      makeReady(id)
    }
    return decision
  }

  /// What ``delivered(_:_:_:at:random:)`` decided is durable.
  mutating func settled(_ message: Int64, _ id: LaneID) {
    inFlight -= 1
    guard var lane = lanes[id] else { return }
    lane.unsettled.remove(message)
    if lane.refilling != nil { lane.settledMeanwhile.insert(message) }
    if lane.state == .settling { lane.state = .idle }
    // It may be another one's turn already, whose end is not durable.
    if case .parked(message, _, _) = lane.state, lane.willBeStored { noteStored(&lane) }
    // It takes the place of one that was under way, so the limit holds without looking.
    if lane.again.remove(message) != nil { requeued.append((message, id)) }
    lanes[id] = lane
    makeReady(id)
  }

  /// Time in which it could not be tried, because the connector was stopped or held back, does not count.
  func isTooOld(_ message: PendingMessage, _ now: WallTime) -> Bool {
    guard let lifetime = policy.lifetime else { return false }
    let since = max(message.waitingSince, message.attempts.attempts.first?.startedAt ?? message.waitingSince)
    return now - since >= lifetime
  }

  func exhausted(_ message: PendingMessage, _ reason: String) -> String {
    "given up after \(message.attempts.count) tries: \(reason)"
  }
}
