/// Whether the connector is registered with the OMS as somebody wants it, and what to do next. No I/O, no clock: callers pass
/// the time and do what `nextStep` says.
///
/// An OMS that has forgotten the connector sends nothing, and nothing says so. Three things bring the registration back:
/// - an outgoing call that is answered as if the connector were unknown (``suspectLost(now:)``) has it looked at soon;
/// - every `checkInterval` the OMS is asked what it has (`discover`): missing, several or different ones are registered
///   anew. A difference that is still there after that is how this OMS writes it down, and left alone;
/// - an OMS that can't be asked gets the registration again every `renewalInterval`, in a way that leaves no copies
///   (``RegistrationManner/renewing``). That is rarer, because with some buses it costs a moment without registration.
struct RegistrationMachine: Sendable {
  /// What somebody wants.
  enum Goal: Int64, Sendable {
    // Kept in the store: these numbers stay.
    case registered = 1
    case unregistered = 2
    case disabled = 3

    var state: State {
      switch self {
      case .registered: .registered
      case .unregistered: .unregistered
      case .disabled: .disabled
      }
    }
  }

  enum State: Equatable, Sendable {
    /// There is no OMS.
    case unconfigured
    /// Not as wanted; tries go on for ever.
    case pending
    case registered
    /// Taken back by request; stays so until told otherwise.
    case unregistered
    /// Switched off by request; stays so until told otherwise.
    case disabled
  }

  enum Step: Equatable, Sendable {
    case register(RegistrationManner)
    case unregister
    case disable
    case check
    /// Nothing to do before then.
    case wait(until: WallTime)
    /// Nothing to do before somebody asks for something.
    case rest
  }

  private(set) var goal: Goal
  private(set) var state: State
  private(set) var stateSince: WallTime
  /// What to register with; nil until it is known.
  private(set) var content: RegistrationContent?
  /// When the OMS last accepted the registration.
  private(set) var registeredAt: WallTime?
  /// Attempts since the last success.
  private(set) var failedAttempts = 0
  /// Why the last attempt failed; empty after a success.
  private(set) var lastError = ""
  /// When the next attempt is due; nil when there is nothing to attempt.
  private(set) var nextAttemptAt: WallTime?
  private(set) var checkedAt: WallTime?
  /// What the last look has found; empty before.
  private(set) var checkResult = ""
  /// When to look again, or to renew where that is not possible; nil unless registered.
  private(set) var nextCheckAt: WallTime?

  private let timing: RegistrationTiming
  /// What the OMS has accepted.
  private var registeredContent: RegistrationContent?
  /// How the next registration has to be made; nil when none is needed.
  private var manner: RegistrationManner?
  /// At `nextCheckAt` the registration is renewed, because this OMS can't be asked.
  private var renews = false
  private var isSuspected = false
  private var suspectedAt: WallTime?
  /// When it was last renewed for nothing but a suspicion.
  private var renewedOnSuspicionAt: WallTime?
  /// What a registration was repeated for.
  private var repairedDifference: RegistrationCheck?

  /// - Parameter kept: what somebody wanted before the gateway was started.
  init(isConfigured: Bool, kept: KeptRegistration = .init(), now: WallTime, timing: RegistrationTiming = .init()) {
    self.timing = timing
    goal = kept.goal
    let isSettled = kept.goal != .registered && kept.isSettled
    state = !isConfigured ? .unconfigured : isSettled ? kept.goal.state : .pending
    stateSince = isSettled ? kept.changedAt ?? now : now
    nextAttemptAt = state == .pending ? now : nil
  }

  func nextStep(now: WallTime) -> Step {
    switch state {
    case .unconfigured, .unregistered, .disabled: return .rest
    case .pending, .registered: break
    }
    if let attempt {
      guard let nextAttemptAt else { return attempt }
      return isDue(nextAttemptAt, timing.backOff.limit, now) ? attempt : .wait(until: nextAttemptAt)
    }
    guard state == .registered, let nextCheckAt else { return .rest }
    guard isDue(nextCheckAt, longestCheckPause, now) else { return .wait(until: nextCheckAt) }
    return renews ? .register(.renewing) : .check
  }

  /// What is to be done to get where somebody wants to be; nil when it is done, or when the content is not known yet.
  private var attempt: Step? {
    switch goal {
    case .unregistered: .unregister
    case .disabled: .disable
    case .registered:
      if content == nil {
        nil
      } else if let manner {
        .register(manner)
      } else {
        state == .pending || content != registeredContent ? .register(.plain) : nil
      }
    }
  }

  /// How to register, when that is what is to be done, now or at `nextAttemptAt`.
  var neededManner: RegistrationManner? {
    guard case .register(let manner)? = attempt else { return nil }
    return manner
  }

  private var longestCheckPause: Duration {
    RegistrationTiming.longest(renews ? max(timing.renewalInterval, timing.checkInterval) : timing.checkInterval)
  }

  /// - Parameter longest: further away than any pause: somebody has set the clock back.
  private func isDue(_ time: WallTime, _ longest: Duration, _ now: WallTime) -> Bool {
    time <= now || time - now > longest
  }

  // MARK: Another gateway's

  /// What others are to know.
  func snapshot(secretMark: [UInt8]) -> RegistrationSnapshot {
    RegistrationSnapshot(
      state: state, stateSince: stateSince, registeredAt: registeredAt, failedAttempts: failedAttempts,
      lastError: lastError, nextAttemptAt: nextAttemptAt, checkedAt: checkedAt, checkResult: checkResult,
      nextCheckAt: nextCheckAt, secretMark: secretMark)
  }

  /// As another gateway has it, which sees to it.
  mutating func follow(_ snapshot: RegistrationSnapshot?, goal: Goal, content: RegistrationContent) {
    guard state != .unconfigured else { return }
    (self.goal, self.content) = (goal, content)
    guard let snapshot else { return }
    (state, stateSince, registeredAt) = (snapshot.state, snapshot.stateSince, snapshot.registeredAt)
    (failedAttempts, lastError, nextAttemptAt) = (snapshot.failedAttempts, snapshot.lastError, snapshot.nextAttemptAt)
    (checkedAt, checkResult, nextCheckAt) = (snapshot.checkedAt, snapshot.checkResult, snapshot.nextCheckAt)
  }

  // MARK: What is wanted

  /// Somebody wants something else.
  mutating func choose(_ goal: Goal, now: WallTime) {
    guard state != .unconfigured, goal != self.goal else { return }
    if goal == .registered { manner = self.goal == .disabled ? .enabling : nil }
    self.goal = goal
    leave(now)
    nextAttemptAt = now
  }

  /// What to register with from now on.
  mutating func use(_ content: RegistrationContent) { self.content = content }

  /// What failed may succeed now: the next attempt is due.
  mutating func hurry(now: WallTime) {
    if nextAttemptAt != nil { nextAttemptAt = now }
  }

  // MARK: What came of it

  /// - Parameters:
  ///   - content: what the OMS has taken.
  ///   - random: 0…1.
  mutating func registrationSucceeded(_ content: RegistrationContent, now: WallTime, random: Double) {
    guard state != .unconfigured else { return }
    enter(.registered, now)
    registeredAt = now
    registeredContent = content
    manner = nil
    scheduleCheck(after: timing.checkInterval, now, random)
  }

  /// A renewal was refused because the registration is there.
  mutating func registrationHeld(now: WallTime, random: Double) {
    guard state == .registered else { return }
    enter(.registered, now)
    note("the OMS has it: it refuses another one of that id", now)
    scheduleCheck(after: timing.renewalInterval, now, random)
    renews = true
  }

  /// - Parameters:
  ///   - isLost: whether a registration that was there is gone now.
  ///   - random: 0…1, spreads the attempts of many connectors.
  mutating func registrationFailed(_ reason: String, isLost: Bool, now: WallTime, random: Double) {
    guard state != .unconfigured else { return }
    failedAttempts += 1
    lastError = reason
    if isLost && state == .registered { leave(now, keepsError: true) }
    if attempt != nil {
      nextAttemptAt = now + timing.backOff.delay(afterFailures: failedAttempts, random: random)
    } else if state == .registered {
      // Renewing a registration that holds is not worth insisting on.
      scheduleCheck(after: timing.checkInterval, now, random, renews: renews)
    }
  }

  /// The OMS was told what somebody wants that is no registration.
  mutating func goalReached(now: WallTime) {
    guard state != .unconfigured, goal != .registered else { return }
    enter(goal.state, now)
    registeredContent = nil
    manner = nil
    nextCheckAt = nil
  }

  /// The OMS could not be told.
  mutating func goalFailed(_ reason: String, now: WallTime, random: Double) {
    guard state != .unconfigured else { return }
    failedAttempts += 1
    lastError = reason
    if state != .pending { leave(now, keepsError: true) }
    nextAttemptAt = now + timing.backOff.delay(afterFailures: failedAttempts, random: random)
  }

  // MARK: Whether it is still there

  /// Something looks as if the OMS had forgotten the connector.
  mutating func suspectLost(now: WallTime) {
    guard state == .registered, !renews || mayRenewOnSuspicion(now) else { return }
    let last = [registeredAt, checkedAt, suspectedAt].compactMap(\.self).max() ?? now
    guard last > now || now - last >= timing.suspicionPause else { return }
    (isSuspected, suspectedAt) = (true, now)
    (nextCheckAt, renews) = (now, false)
  }

  private func mayRenewOnSuspicion(_ now: WallTime) -> Bool {
    guard let last = renewedOnSuspicionAt else { return true }
    return last > now || now - last >= timing.suspectedRenewalPause
  }

  /// - Parameter random: 0…1.
  mutating func checked(_ found: RegistrationCheck, now: WallTime, random: Double) {
    guard state == .registered else { return }
    let wasSuspected = isSuspected
    scheduleCheck(after: timing.checkInterval, now, random)
    note(found.description, now)
    switch found {
    case .present:
      repairedDifference = nil
    case .switchedOff, .failed: break
    case .missing:
      leave(now)
      lastError = found.description
      nextAttemptAt = now
    case .differs, .copies:
      guard found != repairedDifference else { return }
      repairedDifference = found
      if case .copies = found { manner = .replacing } else { manner = .plain }
      nextAttemptAt = now
    case .unsupported:
      let isUrgent = wasSuspected && mayRenewOnSuspicion(now)
      if isUrgent { renewedOnSuspicionAt = now }
      scheduleCheck(after: isUrgent ? .zero : timing.renewalInterval, now, random, renews: true)
    }
  }

  // MARK: Within

  private mutating func note(_ result: String, _ now: WallTime) { (checkedAt, checkResult) = (now, result) }

  private mutating func scheduleCheck(
    after interval: Duration, _ now: WallTime, _ random: Double, renews: Bool = false
  ) {
    nextCheckAt = now + RegistrationTiming.spread(interval, random: random)
    self.renews = renews
    isSuspected = false
  }

  /// As wanted from now on.
  private mutating func enter(_ state: State, _ now: WallTime) {
    if self.state != state { (self.state, stateSince) = (state, now) }
    failedAttempts = 0
    lastError = ""
    nextAttemptAt = nil
  }

  /// Not as wanted any more.
  private mutating func leave(_ now: WallTime, keepsError: Bool = false) {
    if state != .pending { (state, stateSince) = (.pending, now) }
    nextCheckAt = nil
    if keepsError { return }
    failedAttempts = 0
    lastError = ""
  }
}
