import Glibc

/// The time of day, which notes in stores carry.
public enum WallClock {
  /// Nanoseconds since 1970, UTC. May go back when somebody sets the clock.
  public static func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
