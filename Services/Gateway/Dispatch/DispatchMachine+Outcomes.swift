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
    let isCounted = isCounted(outcome, id, now)
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
      (decision, until) = failed(message, reason, now, random)
    case .unanswered(let reason):
      (decision, until) =
        isCounted ? failed(message, reason, now, random) : away(message, reason, retryAfter: nil, now, random)
      let since = lanes[id]?.silence?.since ?? now
      lanes[id]?.silence = (answers, since)
    case .unavailable(let reason, let retryAfter):
      (decision, until) = away(message, reason, retryAfter: retryAfter, now, random)
    case .held(let reason):
      breaker.held(reason, now: now)
      // Nobody has looked.
      sweep = Sweep(isUnderWay: sweep.isUnderWay)
      until = breaker.openUntil
      decision = .nothing
    }
    if case .finish = decision { lanes[id]?.silence = nil }
    if let until {
      park(id, message.id, Wait(until: until, from: now), byDestination: !isCounted)
      if case .postpone = decision { lanes[id]?.willBeStored = true }
    } else if policy.settlesBeforeNext {
      lanes[id]?.state = .settling
    } else {
      lanes[id]?.state = .idle
      makeReady(id)
    }
    return decision
  }

  /// A counted try that failed.
  private func failed(
    _ message: PendingMessage, _ reason: String, _ now: WallTime, _ random: Double
  ) -> (Decision, WallTime?) {
    let isLast = policy.maximumAttempts.map { message.attempts.count >= $0 } ?? false
    if isLast || isTooOld(message, now) {
      return (.finish(policy.givenUp, reason: exhausted(message, reason), result: []), nil)
    }
    let until = now + policy.backOff.delay(afterFailures: message.attempts.count, random: random)
    return (.postpone(until: until, reason: reason), until)
  }

  private mutating func away(
    _ message: PendingMessage, _ reason: String, retryAfter: Duration?, _ now: WallTime, _ random: Double
  ) -> (Decision, WallTime?) {
    breaker.failed(reason, retryAfter: retryAfter, now: now, random: random)
    destinationAway(now)
    if isTooOld(message, now) {
      return (.finish(policy.givenUp, reason: exhausted(message, reason), result: []), nil)
    }
    let delay = policy.backOff.delay(afterFailures: max(1, message.attempts.count), random: random)
    let until = max(now + delay, breaker.openUntil ?? now)
    return (policy.lifetime == nil ? .nothing : .postpone(until: until, reason: reason), until)
  }

  /// Whether a try that has ended is one of the message's. One that was not answered is, when others were answered meanwhile or
  /// since the last time; otherwise the destination hangs, and good messages must not be given up for that. For
  /// ``longestSilence`` at most: what makes a destination hang has to end, too.
  func isCounted(_ outcome: DeliveryOutcome, _ id: LaneID, _ now: WallTime) -> Bool {
    guard case .unanswered = outcome, let lane = lanes[id] else { return outcome.isTry }
    if answers != lane.answersAtStart { return true }
    guard let silence = lane.silence else { return false }
    return answers != silence.answers || now - silence.since >= Self.longestSilence
  }

  static let longestSilence = Duration.seconds(6 * 3600)

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
