import EventLoop

/// Pauses that grow by a factor up to a longest one, each made longer or shorter at random. Source: gRPC's
/// `doc/connection-backoff.md`, whose multiplier and jitter are the defaults here.
public struct BackOff: Sendable {
  private let first: Double
  private let longest: Double
  private let multiplier: Double
  private let jitter: Double
  /// Pauses since the last reset.
  public private(set) var count = 0

  /// - Parameters:
  ///   - multiplier: 1 or more.
  ///   - jitter: part of a pause, 0 to 1.
  public init(first: Duration, longest: Duration, multiplier: Double = 1.6, jitter: Double = 0.2) {
    self.first = Double(first.nanoseconds)
    self.longest = Double(longest.nanoseconds)
    self.multiplier = max(multiplier, 1)
    self.jitter = min(max(jitter, 0), 1)
  }

  /// The next pause in nanoseconds.
  public mutating func next(using random: inout some RandomNumberGenerator) -> UInt64 {
    var pause = min(first, longest)
    // 64 doublings reach any longest pause from any first one; the pauses themselves may go on for ever.
    for _ in 0..<min(count, 64) where pause < longest { pause = min(pause * multiplier, longest) }
    count &+= 1
    return UInt64(pause * Double.random(in: (1 - jitter)...(1 + jitter), using: &random))
  }

  /// The next pause is the first one again.
  public mutating func reset() { count = 0 }
}
