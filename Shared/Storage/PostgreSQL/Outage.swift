/// How long a server has not been reached, and when to try again.
struct Outage {
  private var since: UInt64?
  private var attempts = 0

  static let longestPause: UInt64 = 1_000_000_000
  private static let firstPause: UInt64 = 50_000_000

  /// Nobody is to wait any longer.
  func isOver(_ limit: UInt64, now: UInt64) -> Bool {
    guard let since else { return false }
    return now - since >= limit
  }

  /// After a failure at `now`.
  ///
  /// - Parameters:
  ///   - limit: how long an outage may last, in nanoseconds.
  ///   - random: from 0 to 1.
  /// - Returns: how long to wait: at first not at all, as a server that was restarted is there again, then twice as long each
  ///   time, less a half at random; nil once it has lasted too long.
  mutating func failed(now: UInt64, limit: UInt64, random: Double) -> UInt64? {
    let start = since ?? now
    since = start
    attempts += 1
    if now - start >= limit { return nil }
    if attempts == 1 { return 0 }
    let pause = min(Self.firstPause << UInt64(min(attempts - 2, 10)), Self.longestPause)
    return min(pause / 2 + UInt64(Double(pause / 2) * random), limit - (now - start))
  }

  mutating func ended() { self = Outage() }
}
