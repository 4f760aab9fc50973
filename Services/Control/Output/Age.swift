import Glibc
import Messages

/// How long ago something was, in one unit: `42 s`, `7 m`, `3 h`, `2 d`.
enum Age {
  static func text(_ time: Google.Protobuf.Timestamp?, now: Int64 = Int64(Glibc.time(nil))) -> String {
    guard let time else { return "" }
    // What a gateway says may be any number.
    let (difference, overflow) = now.subtractingReportingOverflow(time.seconds)
    let age = overflow ? (time.seconds < 0 ? .max : 0) : max(0, difference)
    switch age {
    case ..<120: return "\(age) s"
    case ..<7_200: return "\(age / 60) m"
    case ..<172_800: return "\(age / 3600) h"
    default: return "\(age / 86_400) d"
    }
  }
}
