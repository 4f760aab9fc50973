import EventLoop
import Glibc
import Messages

/// A moment on the wall clock.
struct WallTime: Sendable, Hashable, Comparable {
  /// Since 1970-01-01T00:00:00Z.
  var nanoseconds: Int64

  init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  init(seconds: Int64) { nanoseconds = seconds * 1_000_000_000 }

  /// - Returns: nil when the moment lies outside the years 1678 to 2261, or is none.
  init?(_ timestamp: Google.Protobuf.Timestamp) {
    guard let nanoseconds = timestamp.nanosecondsSinceEpoch else { return nil }
    self.nanoseconds = nanoseconds
  }

  static var now: WallTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return WallTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  /// Before everything.
  static let distantPast = WallTime(nanoseconds: 0)

  /// Whole seconds since 1970, rounded down.
  var seconds: Int64 {
    let (quotient, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    return rest < 0 ? quotient - 1 : quotient
  }

  var timestamp: Google.Protobuf.Timestamp {
    .init(seconds: seconds, nanos: Int32(nanoseconds - seconds * 1_000_000_000))
  }

  static func < (left: WallTime, right: WallTime) -> Bool { left.nanoseconds < right.nanoseconds }

  /// Not later than the latest moment there is.
  ///
  /// - Parameter duration: not negative.
  static func + (time: WallTime, duration: Duration) -> WallTime {
    let (sum, overflow) = time.nanoseconds.addingReportingOverflow(Int64(clamping: duration.nanoseconds))
    return WallTime(nanoseconds: overflow ? .max : sum)
  }

  /// - Parameter duration: not negative.
  static func - (time: WallTime, duration: Duration) -> WallTime {
    let (difference, overflow) = time.nanoseconds.subtractingReportingOverflow(Int64(clamping: duration.nanoseconds))
    return WallTime(nanoseconds: overflow ? .min : difference)
  }

  /// Not longer than 292 years, either way.
  static func - (left: WallTime, right: WallTime) -> Duration {
    let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
    return .nanoseconds(!overflow ? difference : left > right ? .max : .min)
  }
}
