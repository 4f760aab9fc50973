/// A time to wait for, on a clock that may be set.
struct Wait: Sendable, Equatable {
  let until: WallTime
  /// How long it was when it began. A clock that is set back never makes it longer.
  private let duration: Duration

  /// - Parameter now: when the wait begins.
  init(until: WallTime, from now: WallTime) {
    self.until = until
    duration = until - now
  }

  func isOver(_ now: WallTime) -> Bool { until <= now || until - now > duration }
}
