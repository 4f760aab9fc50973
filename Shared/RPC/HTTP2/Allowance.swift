/// How much of something a peer may do: a burst, and then so much a second (a token bucket).
///
/// For what is legal one by one and an attack by the thousand: PINGs, SETTINGS, resets, frames that mean nothing.
struct Allowance {
  private let burst: Double
  private let perSecond: Double
  private var left: Double
  private var countedAt: UInt64 = 0

  init(burst: Int, perSecond: Int) {
    self.burst = Double(burst)
    self.perSecond = Double(perSecond)
    left = self.burst
  }

  /// Takes one.
  /// - Parameter now: monotonic nanoseconds.
  /// - Returns: false when there was none left.
  mutating func take(now: UInt64) -> Bool {
    if left < 1, now > countedAt {
      left = min(burst, left + Double(now - countedAt) / 1e9 * perSecond)
      countedAt = now
    }
    guard left >= 1 else { return false }
    if left == burst { countedAt = now }
    left -= 1
    return true
  }
}
