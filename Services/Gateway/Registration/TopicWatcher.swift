import Messages
import RPC
import ServiceKit
import Stubs

/// Asks the services what they consume, so that the gateway subscribes to that and nothing else.
struct TopicWatcher: Sendable {
  /// Answers a service's methods; nil when it cannot be reached now.
  typealias Ask = @Sendable (ConnectorService) async -> [String]?
  /// Between two rounds; while the gateway starts and once all is known.
  static let startInterval = Duration.milliseconds(200)
  static let interval = Duration.seconds(5)
  static let timeout = Duration.seconds(2)
  /// Of one answer; there are some thirty in the catalogue.
  static let maxMethods = 1000

  let services: [ConnectorService]
  let ask: Ask
  let memory: any RegistrationMemory
  /// OMS_REGISTRATION_WAIT: how long services get at the gateway's start to say something.
  let startWait: Duration
  var now: @Sendable () -> ContinuousClock.Instant = { .now }
  var wall: @Sendable () -> WallTime = { .now }
  var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

  /// Works until the task is cancelled.
  ///
  /// - Parameters:
  ///   - kept: the methods of before the gateway's start; with them nobody is waited for.
  ///   - report: gets the methods, sorted, as soon as all services have answered or `startWait` is over, and after each
  ///     round from there on.
  func run(kept: [KeptTopic], report: @Sendable ([KeptTopic]) async -> Void) async throws {
    let start = now()
    var topics = RunningTopics(kept: kept, now: start, wall: wall())
    var saved = kept
    var warned: Set<String> = []
    var silent = Set(services)
    while true {
      for (service, methods) in await round() {
        silent.remove(service)
        warn(topics.hear(methods, from: service, now: now()), service, &warned)
      }
      let isStarting = kept.isEmpty && !silent.isEmpty && now() - start < startWait
      if !isStarting {
        let current = topics.topics(now: now(), wall: wall())
        if current != saved, await save(current) { saved = current }
        await report(current)
      }
      try await sleep(isStarting ? Self.startInterval : Self.interval)
    }
  }

  /// - Returns: false when the store does not take it now; the OMS is told all the same.
  private func save(_ topics: [KeptTopic]) async -> Bool {
    do {
      try await memory.save(topics: topics)
      let away = Set(topics.filter { $0.awaySince != nil }.compactMap { BusMethod.named($0.method)?.service.rawValue })
      Log.info(
        "services consume", ["methods": .list(topics.map(\.method)), "services_away": .list(away.sorted())])
      return true
    } catch {
      Log.warning("what services consume is not kept for a restart", ["reason": LogValue(error)])
      return false
    }
  }

  private func round() async -> [(ConnectorService, [String])] {
    await withTaskGroup(of: (ConnectorService, [String]?).self) { group in
      for service in services { group.addTask { (service, await ask(service)) } }
      var answers: [(ConnectorService, [String])] = []
      for await case (let service, let methods?) in group { answers.append((service, methods)) }
      return answers
    }
  }

  private func warn(_ methods: [String], _ service: ConnectorService, _ warned: inout Set<String>) {
    for method in methods where warned.count < Self.maxMethods && warned.insert("\(service) \(method)").inserted {
      Log.warning(
        "not subscribed to: the gateway does not hand this method to that service; is it of another version?",
        ["method": "\(method)", "service": "\(service)"])
    }
  }

  /// Over the gateway's channels. A service that has no consumer answers UNIMPLEMENTED and consumes nothing.
  static func ask(_ channels: [(service: ConnectorService, channel: Channel)]) -> Ask {
    { service in
      guard let channel = channels.first(where: { $0.service == service })?.channel else { return nil }
      do {
        let response = try await channel.unary(
          Omsconnector.Internal.V1.MessageConsumerServiceMethods.listMethods, .init(),
          options: CallOptions(timeout: timeout))
        return Array(response.methods.prefix(maxMethods))
      } catch let error as RPCError where error.code == .unimplemented {
        return []
      } catch {
        Log.debug("does not say what it consumes", ["service": "\(service)", "reason": LogValue(error)])
        return nil
      }
    }
  }
}
