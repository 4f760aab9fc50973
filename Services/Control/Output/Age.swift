import Glibc
import Messages

/// How long ago something was, in one unit: `42 s`, `7 m`, `3 h`, `2 d`.
enum Age {
  static func text(_ time: Google.Protobuf.Timestamp?, now: Int64 = Int64(Glibc.time(nil))) -> String {
    guard let time else { return "" }
    let age = max(0, now - time.seconds)
    switch age {
    case ..<120: return "\(age) s"
    case ..<7_200: return "\(age / 60) m"
    case ..<172_800: return "\(age / 3600) h"
    default: return "\(age / 86_400) d"
    }
  }
}
