/// The bus methods that services consume which are running, or are away for a while.
///
/// What the OMS publishes while a method is not subscribed to is lost, and the journal is there to keep it until its service is
/// back. So a method stays for 48 hours after its service was last heard of, as long as messages are tried in any case. One that
/// its service has stopped to name stays for ten minutes: that bridges replicas of two versions that answer in turns. The last
/// methods stay for good: a connector that subscribes to nothing is of no use, whoever is away.
struct RunningTopics: Sendable {
  /// After a service was last heard of.
  static let absence = Duration.seconds(48 * 3_600)
  /// After a method was last named by a service that answers.
  static let stay = Duration.seconds(600)
  /// A service that says nothing for so long is away; for less, it is only started anew.
  static let silence = Duration.seconds(60)

  private var lastNamed: [String: ContinuousClock.Instant] = [:]
  private var lastHeard: [ConnectorService: ContinuousClock.Instant] = [:]
  private var awaySince: [ConnectorService: WallTime] = [:]

  /// - Parameters:
  ///   - kept: the methods of before the gateway's start; their services may be starting with it.
  ///   - wall: the time of day, for how long a service has been away.
  init(kept: [KeptTopic], now: ContinuousClock.Instant, wall: WallTime) {
    for topic in kept {
      guard let service = BusMethod.named(topic.method)?.service else { continue }
      var heard = now
      if let since = topic.awaySince {
        awaySince[service] = since
        // At least half of the time is left: the clock may be wrong, and while the gateway was away it could hear nobody.
        heard = now.advanced(by: .zero - min(max(.zero, wall - since), Self.absence / 2))
      }
      lastNamed[topic.method] = heard
      lastHeard[service] = heard
    }
  }

  /// A service says what it consumes.
  ///
  /// - Returns: those of its methods that are not handed to it: unknown to this gateway, or another service's.
  mutating func hear(
    _ methods: [String], from service: ConnectorService, now: ContinuousClock.Instant
  ) -> [String] {
    lastHeard[service] = now
    awaySince[service] = nil
    var others: [String] = []
    for method in methods {
      let known = BusMethod.named(method)
      if known?.service == service {
        lastNamed[method] = now
      } else if known?.senders.contains(service) != true {
        others.append(method)
      }
    }
    return others
  }

  /// Sorted by method.
  mutating func topics(now: ContinuousClock.Instant, wall: WallTime) -> [KeptTopic] {
    for (service, heard) in lastHeard where awaySince[service] == nil && now - heard >= Self.silence {
      awaySince[service] = WallTime(nanoseconds: wall.nanoseconds - Int64(clamping: (now - heard).nanoseconds))
    }
    let staying = lastNamed.filter { method, named in
      guard let service = BusMethod.named(method)?.service, let heard = lastHeard[service] else { return false }
      return heard - named < Self.stay && now - heard < Self.absence
    }
    if !staying.isEmpty { lastNamed = staying }
    return lastNamed.keys.sorted().map { method in
      KeptTopic(method: method, awaySince: BusMethod.named(method).flatMap { awaySince[$0.service] })
    }
  }
}
