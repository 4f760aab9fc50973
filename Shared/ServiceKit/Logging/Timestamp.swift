import Glibc

/// Wall-clock time as text.
enum Timestamp {
  /// Nanoseconds since 1970.
  static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// `2024-02-03T04:05:06.789Z`: UTC, milliseconds, RFC 3339.
  static func rfc3339(nanoseconds: Int64) -> String {
    let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    var clock = time_t(rest < 0 ? seconds - 1 : seconds)
    let milliseconds = (rest < 0 ? rest + 1_000_000_000 : rest) / 1_000_000
    var parts = tm()
    gmtime_r(&clock, &parts)
    return
      "\(digits(4, Int(parts.tm_year) + 1900))-\(digits(2, Int(parts.tm_mon) + 1))-\(digits(2, Int(parts.tm_mday)))"
      + "T\(digits(2, Int(parts.tm_hour))):\(digits(2, Int(parts.tm_min))):\(digits(2, Int(parts.tm_sec)))"
      + ".\(digits(3, Int(milliseconds)))Z"
  }

  private static func digits(_ width: Int, _ value: Int) -> String {
    let text = String(value)
    return text.utf8.count < width ? String(repeating: "0", count: width - text.utf8.count) + text : text
  }
}
