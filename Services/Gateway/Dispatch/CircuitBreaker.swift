/// Whether a destination is worth trying. After some failures in a row it is left alone for a time, which doubles each time that
/// a try fails then; one message at a time goes to find out. No I/O, no clock.
struct CircuitBreaker: Sendable {
  /// Failures in a row that open it.
  static let threshold = 5
  /// How soon to look whether a destination is still held.
  static let holdInterval = Duration.seconds(1)
  /// Longer than this, no destination is left alone on its own word.
  static let longestRetryAfter = Duration.seconds(3600)

  private let backOff: BackOff
  /// Failures in a row while it was closed.
  private var failures = 0
  /// Times in a row that it opened.
  private var openings = 0
  /// nil while it is closed.
  private(set) var openUntil: WallTime?
  /// The last failure's words; empty when there is none since the last success.
  private(set) var lastError = ""

  init(backOff: BackOff = BackOff(first: .milliseconds(500), limit: .seconds(30))) { self.backOff = backOff }

  /// - Parameter inFlight: deliveries that are under way.
  func admits(inFlight: Int, now: WallTime) -> Bool {
    guard let openUntil else { return true }
    return inFlight == 0 && hasWaited(until: openUntil, now)
  }

  /// The destination did what it should.
  ///
  /// - Returns: whether it was open.
  mutating func succeeded() -> Bool {
    let wasOpen = openUntil != nil
    (failures, openings, openUntil, lastError) = (0, 0, nil, "")
    return wasOpen
  }

  /// - Parameters:
  ///   - retryAfter: how long the destination asks to be left alone, if it does.
  ///   - random: 0…1.
  mutating func failed(_ reason: String, retryAfter: Duration?, now: WallTime, random: Double) {
    lastError = reason
    if let retryAfter { open(until: now + min(max(retryAfter, .zero), Self.longestRetryAfter)) }
    if let openUntil {
      // What was under way when it opened says nothing new.
      guard hasWaited(until: openUntil, now) else { return }
    } else {
      failures += 1
      guard failures >= Self.threshold else { return }
    }
    openings += 1
    open(until: now + backOff.delay(afterFailures: openings, random: random))
  }

  /// Nothing goes there for now, which is no failure.
  mutating func held(_ reason: String, now: WallTime) {
    lastError = reason
    open(until: now + Self.holdInterval)
  }

  private mutating func open(until time: WallTime) { openUntil = max(time, openUntil ?? time) }

  /// A time that is further away than any delay was set before somebody set the clock back.
  private func hasWaited(until time: WallTime, _ now: WallTime) -> Bool {
    time <= now || time - now > max(backOff.limit, Self.longestRetryAfter)
  }
}
