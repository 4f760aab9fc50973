import Glibc

/// The time of day for those who delete by it: a clock that leaps must not take history with it.
///
/// The system's clock is believed once it has gone on evenly for an hour: a service that has just started waits for that, too, as
/// machines start with clocks that are wrong. After a leap, the time is what it would be without it until the new one has held for
/// an hour. Nothing that is old is in a hurry.
public struct ConfirmedClock: Sendable {
  /// What the clock may differ by from what was to be expected: it is set by a bit now and then.
  public static let tolerance = Duration.seconds(300)
  /// How long a new time has to hold.
  public static let confirmation = Duration.seconds(3_600)

  /// What the clock says.
  public struct Reading: Sendable, Equatable {
    /// Nanoseconds since 1970, UTC.
    public let time: Int64
    /// Things may be deleted by it.
    public let isConfirmed: Bool
  }

  /// A time that goes on evenly from a moment.
  private struct Line {
    let wall: Int64
    let elapsed: UInt64

    func time(at elapsed: UInt64) -> Int64 { wall &+ Int64(clamping: elapsed &- self.elapsed) }

    func fits(_ wall: Int64, _ elapsed: UInt64) -> Bool {
      let (difference, overflow) = wall.subtractingReportingOverflow(time(at: elapsed))
      return !overflow && difference.magnitude <= ConfirmedClock.tolerance.nanoseconds
    }
  }

  private var confirmed: Line?
  private var candidate: Line?

  /// A clock that has to be confirmed.
  public init() {}

  /// Reads the clock. To be called now and then, by one who keeps the clock.
  ///
  /// - Parameters:
  ///   - wall: nanoseconds since 1970, as the system has it.
  ///   - elapsed: nanoseconds of a clock that nobody sets.
  public mutating func read(
    wall: Int64 = WallClock.nanoseconds(), elapsed: UInt64 = ConfirmedClock.elapsed()
  ) -> Reading {
    let now = Line(wall: wall, elapsed: elapsed)
    if let confirmed, confirmed.fits(wall, elapsed) {
      (self.confirmed, candidate) = (now, nil)
      return Reading(time: wall, isConfirmed: true)
    }
    guard let candidate, candidate.fits(wall, elapsed) else {
      candidate = now
      return Reading(time: confirmed?.time(at: elapsed) ?? wall, isConfirmed: false)
    }
    if elapsed &- candidate.elapsed >= Self.confirmation.nanoseconds {
      (confirmed, self.candidate) = (now, nil)
      return Reading(time: wall, isConfirmed: true)
    }
    return Reading(time: confirmed?.time(at: elapsed) ?? wall, isConfirmed: false)
  }

  /// Since the machine's start, also while it slept: that is no leap.
  public static func elapsed() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
