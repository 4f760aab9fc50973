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
  private var wait: Wait?
  /// The last failure's words; empty when there is none since the last success.
  private(set) var lastError = ""

  /// nil while it is closed.
  var openUntil: WallTime? { wait?.until }

  init(backOff: BackOff = BackOff(first: .milliseconds(500), limit: .seconds(30))) { self.backOff = backOff }

  /// - Parameter inFlight: deliveries that are under way.
  func admits(inFlight: Int, now: WallTime) -> Bool {
    guard let wait else { return true }
    return inFlight == 0 && wait.isOver(now)
  }

  /// The destination did what it should.
  ///
  /// - Returns: whether it was open.
  mutating func succeeded() -> Bool {
    let wasOpen = wait != nil
    (failures, openings, wait, lastError) = (0, 0, nil, "")
    return wasOpen
  }

  /// - Parameters:
  ///   - retryAfter: how long the destination asks to be left alone, if it does.
  ///   - random: 0…1.
  mutating func failed(_ reason: String, retryAfter: Duration?, now: WallTime, random: Double) {
    lastError = reason
    let hasWaited = wait?.isOver(now) ?? false
    if let retryAfter { open(for: min(max(retryAfter, .zero), Self.longestRetryAfter), now) }
    if wait != nil && !hasWaited {
      // What was under way when it opened says nothing new.
      return
    }
    if wait == nil {
      failures += 1
      guard failures >= Self.threshold else { return }
    }
    openings += 1
    open(for: backOff.delay(afterFailures: openings, random: random), now)
  }

  /// Nothing goes there for now, which is no failure.
  mutating func held(_ reason: String, now: WallTime) {
    lastError = reason
    open(for: Self.holdInterval, now)
  }

  private mutating func open(for delay: Duration, _ now: WallTime) {
    let until = now + delay
    if let wait, !wait.isOver(now), wait.until >= until { return }
    wait = Wait(until: until, from: now)
  }
}
