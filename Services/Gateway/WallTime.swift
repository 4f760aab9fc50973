import EventLoop
import Glibc
import Messages

/// A moment on the wall clock.
struct WallTime: Sendable, Hashable, Comparable {
  /// Since 1970-01-01T00:00:00Z.
  var nanoseconds: Int64

  init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  init(seconds: Int64) { nanoseconds = seconds * 1_000_000_000 }
  init(_ timestamp: Google.Protobuf.Timestamp) {
    nanoseconds = timestamp.seconds * 1_000_000_000 + Int64(timestamp.nanos)
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

  /// - Parameter duration: not negative.
  static func + (time: WallTime, duration: Duration) -> WallTime {
    WallTime(nanoseconds: time.nanoseconds + Int64(duration.nanoseconds))
  }

  static func - (left: WallTime, right: WallTime) -> Duration { .nanoseconds(left.nanoseconds - right.nanoseconds) }
}
