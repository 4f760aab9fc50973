import Glibc
import Messages
import ServiceKit

/// A moment in the past: a duration before now, or an RFC 3339 time.
enum SinceOption {
  static func parse(_ text: String, option: String = "since") throws(UsageError) -> Google.Protobuf.Timestamp {
    if let age = DurationText.parse(text) {
      let seconds = Int64(time(nil)) - age.components.seconds
      return .init(seconds: max(0, seconds))
    }
    do {
      return try .init(parsing: text)
    } catch {
      throw UsageError(
        "--\(option): \"\(text)\" is not a duration such as 90m or 7d (units: \(DurationText.unitNames)), or a time such as "
          + "2024-02-03T04:05:06Z")
    }
  }
}
