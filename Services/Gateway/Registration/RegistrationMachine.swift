/// Whether the connector is registered with the OMS, and when to try next. No I/O, no clock: callers pass the time and
/// do what `nextStep` says.
struct RegistrationMachine: Sendable {
  enum State: Equatable, Sendable {
    /// There is no OMS.
    case unconfigured
    /// Not registered; tries go on for ever.
    case pending
    case registered
    /// Taken back by request; stays so until told otherwise.
    case unregistered
  }

  enum Step: Equatable, Sendable {
    case register
    /// Nothing to do before then.
    case wait(until: WallTime)
    /// Nothing to do before somebody asks for something.
    case rest
  }

  private(set) var state: State
  /// When the OMS last accepted the registration.
  private(set) var registeredAt: WallTime?
  /// Attempts since the last success.
  private(set) var failedAttempts = 0
  /// Why the last attempt failed; empty after a success.
  private(set) var lastError = ""
  /// When the next attempt is due; nil unless pending.
  private(set) var nextAttemptAt: WallTime?
  private let backOff: BackOff

  init(isConfigured: Bool, now: WallTime, backOff: BackOff = .init()) {
    state = isConfigured ? .pending : .unconfigured
    nextAttemptAt = isConfigured ? now : nil
    self.backOff = backOff
  }

  func nextStep(now: WallTime) -> Step {
    guard let nextAttemptAt else { return .rest }
    // Further away than any delay: somebody has set the clock back.
    let isDue = nextAttemptAt <= now || nextAttemptAt - now > backOff.limit
    return isDue ? .register : .wait(until: nextAttemptAt)
  }

  mutating func registrationSucceeded(now: WallTime) {
    guard state != .unconfigured else { return }
    state = .registered
    registeredAt = now
    failedAttempts = 0
    lastError = ""
    nextAttemptAt = nil
  }

  /// - Parameters:
  ///   - isLost: whether a registration that was there is gone now.
  ///   - random: 0…1, spreads the attempts of many connectors.
  mutating func registrationFailed(_ reason: String, isLost: Bool, now: WallTime, random: Double) {
    guard state != .unconfigured else { return }
    failedAttempts += 1
    lastError = reason
    // Renewing a registration that holds is not worth insisting on.
    if state == .registered && !isLost { return }
    state = .pending
    nextAttemptAt = now + backOff.delay(afterFailures: failedAttempts, random: random)
  }

  mutating func unregistered() {
    guard state != .unconfigured else { return }
    state = .unregistered
    failedAttempts = 0
    lastError = ""
    nextAttemptAt = nil
  }

  /// The OMS could not be told to forget the connector: the registration is as it was.
  mutating func unregistrationFailed(_ reason: String) { lastError = reason }
}

/// The time between attempts: doubles up to a limit, and is spread over its upper half so that connectors that failed
/// together don't come back together.
struct BackOff: Sendable {
  var first: Duration = .seconds(1)
  var limit: Duration = .seconds(60)

  /// - Parameter random: 0…1.
  func delay(afterFailures failures: Int, random: Double) -> Duration {
    // More doublings than this exceed every limit that makes sense, and would overflow.
    let doublings = min(max(failures - 1, 0), 20)
    let full = min(limit, first * (1 << doublings))
    return full / 2 + full / 2 * random
  }
}
