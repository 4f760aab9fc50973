/// The time between attempts: doubles up to a limit, and is spread over its upper half so that connectors that failed
/// together don't come back together.
struct BackOff: Sendable {
  var first: Duration = .seconds(1)
  var limit: Duration = .seconds(60)

  /// - Parameter random: 0…1.
  func delay(afterFailures failures: Int, random: Double) -> Duration {
    // More doublings than this exceed every limit that makes sense, and would overflow.
    let doublings = min(max(failures - 1, 0), 20)
    let full = min(limit, first * (1 << doublings))
    return full / 2 + full / 2 * random
  }
}
