/// The bus methods that services consume which are running.
///
/// A service that is only restarting must not have the OMS told twice, and what the OMS publishes meanwhile would be lost:
/// a method stays for ten minutes after the last service that named it was heard of. That also bridges replicas of two
/// versions that answer in turns.
struct RunningTopics: Sendable {
  static let stay = Duration.seconds(600)

  private var lastHeard: [String: ContinuousClock.Instant]

  /// - Parameter kept: the methods of before the gateway's start; their services may be starting with it.
  init(kept: [String], now: ContinuousClock.Instant) {
    lastHeard = Dictionary(kept.filter { BusMethod.named($0) != nil }.map { ($0, now) }) { first, _ in first }
  }

  /// A service says what it consumes.
  ///
  /// - Returns: those of its methods that are not handed to it: unknown to this gateway, or another service's.
  mutating func hear(
    _ methods: [String], from service: ConnectorService, now: ContinuousClock.Instant
  ) -> [String] {
    var others: [String] = []
    for method in methods {
      if BusMethod.named(method)?.service == service { lastHeard[method] = now } else { others.append(method) }
    }
    return others
  }

  /// Sorted.
  mutating func topics(now: ContinuousClock.Instant) -> [String] {
    lastHeard = lastHeard.filter { now - $0.value < Self.stay }
    return lastHeard.keys.sorted()
  }
}
