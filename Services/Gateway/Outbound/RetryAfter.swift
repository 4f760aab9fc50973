import HTTP
import Messages

/// When a server wants to be asked again (RFC 9110 §10.2.3): seconds, or a date in one of the three forms of §5.6.7.
enum RetryAfter {
  /// - Parameter now: counts when the server does not say what time it takes it to be, so that clocks that differ do no harm.
  /// - Returns: how long to wait; nil when the server does not say, or not so that it can be understood.
  static func delay(_ headers: HTTPHeaders, now: WallTime) -> Duration? {
    guard let text = headers["Retry-After"] else { return nil }
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      // Who says more digits than a number has means a long time.
      return .seconds(min(Int64(text) ?? .max, longestSeconds))
    }
    guard let date = date(text) else { return nil }
    let served = headers["Date"].flatMap(Self.date) ?? now
    return max(.zero, date - served)
  }

  /// A year: nobody waits as long, and it can be added to any time.
  private static let longestSeconds: Int64 = 31_536_000

  /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
  static func date(_ text: String) -> WallTime? {
    let parts = text.split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
    let fields: (day: String, month: String, year: String, time: String)
    switch parts.count {
    case 6 where parts[5] == "GMT": fields = (parts[1], parts[2], parts[3], parts[4])
    case 5: fields = (parts[2], parts[1], parts[4], parts[3])
    default: return nil
    }
    guard let month = months.firstIndex(of: fields.month), let day = Int(fields.day), let year = year(fields.year),
      let stamp = try? Google.Protobuf.Timestamp(
        parsing: "\(year)-\(twoDigits(month + 1))-\(twoDigits(day))T\(fields.time)Z"),
      (0...latestSecond).contains(stamp.seconds)
    else { return nil }
    return WallTime(stamp)
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// 2200: nanoseconds since 1970 are good until 2262.
  private static let latestSecond: Int64 = 7_258_118_400

  /// Of a year with two digits the century is a guess, and nothing that old or far away is sent any more.
  private static func year(_ text: String) -> String? {
    switch text.utf8.count {
    case 4: text
    case 2: "20" + text
    default: nil
    }
  }

  private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
