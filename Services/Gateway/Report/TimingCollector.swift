import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// Asks every replica of every service how long its calls took, now and then and when a report is wanted.
actor TimingCollector {
  /// Between two rounds that nobody asked for.
  static let interval = Duration.seconds(5)
  /// For one replica's answer.
  static let timeout = Duration.seconds(2)

  private let services: [(service: ConnectorService, channel: Channel)]
  private let ownTimings: Timings
  private let ownInstance = String(UInt64.random(in: .min ... .max), radix: 16)
  private var replicas: [Address: Channel] = [:]
  private let record: TimingRecord
  /// Replicas that answered in the last round.
  private var answering: [ConnectorService: Int] = [:]
  private var running: Task<[String], Never>?
  private var next: Task<[String], Never>?
  private var clock = ConfirmedClock()
  /// nil for a gateway that works alone.
  private let sharing: TimingSharing?
  /// Whether it is this gateway that keeps the history.
  private var isKeeper: Bool

  /// - Parameter sharing: with other gateways, one of which keeps the history (``keep(isStopping:)``); nil for one that works alone.
  init(
    services: [(service: ConnectorService, channel: Channel)], ownTimings: Timings, record: TimingRecord,
    sharing: TimingSharing? = nil
  ) {
    self.sharing = sharing
    isKeeper = sharing == nil
    self.services = services
    self.ownTimings = ownTimings
    self.record = record
  }

  /// Collects and saves until the task is cancelled, and then once more: the services may be about to stop as well.
  func run() async throws {
    while !Task.isCancelled {
      _ = await collect()
      await save()
      do {
        try await Task.sleep(for: Self.interval)
      } catch {
        break
      }
    }
    _ = await collect()
    await save()
  }

  /// Keeps the history for all gateways until the task is cancelled.
  ///
  /// - Parameter isStopping: whether the gateway stops, and not only hands this over to another one.
  func keep(isStopping: @Sendable () -> Bool) async {
    await record.reload(now: await time())
    isKeeper = true
    await untilCancelled()
    if isStopping() {
      _ = await collect()
      await save()
    }
    isKeeper = false
  }

  /// The history is one gateway's to save. Others tell it of their own calls; those of the services it sees itself.
  private func save() async {
    guard let sharing else { return await record.save(now: await time()) }
    let now = await time()
    do {
      guard isKeeper else {
        return try await sharing.put(ownInstance, ownTimings.entries(), now: now)
      }
      for (instance, entries) in try await sharing.others(than: ownInstance, now: now) {
        await record.add(service: TimingRecord.ownService, instance: instance, entries: entries, now: now)
      }
    } catch {
      Log.warning("timings of gateways are not shared", ["reason": LogValue(error)])
    }
    if isKeeper { await record.save(now: now) }
  }

  /// When the last calls of the gateway's own have ended.
  func stop() async {
    await addOwn()
    await save()
  }

  /// What is known now, after asking everybody.
  func report(kind: Timings.Kind?, since: WallTime?) async -> Omsconnector.V1.GetTimingReportResponse {
    if !isKeeper { await record.reload(now: await time()) }
    let missing = await collect()
    return .init(
      endpoints: await record.hours(kind: kind, since: since).map { .init($0.endpoint, hours: $0.hours) },
      missingReplicas: missing)
  }

  /// What is known without asking anybody, for whoever asks all the time.
  func totals() async -> (
    replicas: [(service: ConnectorService, count: Int)], endpoints: [TimingHistory.Endpoint: Histogram]
  ) {
    (services.map { ($0.service, answering[$0.service] ?? 0) }, await record.totals)
  }

  /// Rounds follow each other. All who come during one share the next, which sees what they have done before.
  ///
  /// - Returns: the replicas that did not answer.
  private func collect() async -> [String] {
    if let next { return await next.value }
    let previous = running
    let round = Task {
      _ = await previous?.value
      return await self.round()
    }
    next = round
    return await round.value
  }

  private func round() async -> [String] {
    running = next
    next = nil
    await record.load(now: await time())
    await addOwn()
    var missing: [String] = []
    var asked: [(replica: Replica, channel: Channel)] = []
    for (service, channel) in services {
      let addresses = channel.addresses
      if addresses.isEmpty { missing.append("\(service) \(channel.target): no replica") }
      for address in addresses {
        asked.append((Replica(service: service, address: address), self.replica(address, of: channel)))
      }
    }
    var answers: [ConnectorService: Int] = [:]
    dropChannels(except: Set(asked.map(\.replica.address)))
    await withTaskGroup(of: (Replica, Omsconnector.Internal.V1.GetTimingsResponse?).self) { group in
      for (replica, channel) in asked { group.addTask { (replica, await Self.ask(replica, channel)) } }
      for await (replica, response) in group {
        guard let response, await take(response, from: replica) else {
          missing.append("\(replica)")
          continue
        }
        answers[replica.service, default: 0] += 1
      }
    }
    answering = answers
    return missing.sorted()
  }

  private struct Replica: Sendable, CustomStringConvertible {
    let service: ConnectorService
    let address: Address
    var description: String { "\(service) \(address)" }
  }

  private static func ask(
    _ replica: Replica, _ channel: Channel
  ) async -> Omsconnector.Internal.V1.GetTimingsResponse? {
    do {
      return try await channel.unary(
        Omsconnector.Internal.V1.TimingServiceMethods.getTimings, .init(), options: CallOptions(timeout: timeout))
    } catch {
      Log.debug("no timings", ["replica": "\(replica)", "reason": LogValue(error)])
      return nil
    }
  }

  /// - Returns: false when the answer makes no sense.
  private func take(_ response: Omsconnector.Internal.V1.GetTimingsResponse, from replica: Replica) async -> Bool {
    do {
      let entries = try response.histograms.compactMap { message -> Timings.Entry? in
        guard let kind = Timings.Kind(rawValue: message.kind.rawValue) else { return nil }
        return Timings.Entry(kind: kind, endpoint: message.endpoint, histogram: try Histogram(message))
      }
      await record.add(
        service: replica.service.description, instance: response.instanceId, entries: entries, now: await time())
      return true
    } catch {
      Log.warning("timings make no sense", ["replica": "\(replica)", "reason": LogValue(error)])
      return false
    }
  }

  /// By which calls are counted, and old hours are deleted: a clock that leaps must not take the history with it.
  private func time() async -> WallTime {
    let reading = clock.read()
    await record.use(mayAge: reading.isConfirmed)
    return WallTime(nanoseconds: reading.time)
  }

  private func addOwn() async {
    await record.add(
      service: TimingRecord.ownService, instance: ownInstance, entries: ownTimings.entries(), now: await time())
  }

  private func replica(_ address: Address, of channel: Channel) -> Channel {
    if let replica = replicas[address] { return replica }
    let replica = channel.replica(at: address)
    replicas[address] = replica
    return replica
  }

  private func dropChannels(except addresses: Set<Address>) {
    for (address, channel) in replicas where !addresses.contains(address) {
      channel.shutdown()
      replicas[address] = nil
    }
  }
}
