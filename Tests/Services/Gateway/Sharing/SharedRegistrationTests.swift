import EventLoop
import RPC
import ServiceKit
import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("One registration of several gateways", .serialized, .timeLimit(.minutes(1)))
struct SharedRegistrationTests {
  private func watcher(_ share: RegistrationShare) -> TopicWatcher {
    TopicWatcher(
      services: [.inventory], ask: { _ in [CallbackEdgeTests.method] },
      memory: RegistrationStore(database: share.database), startWait: .zero)
  }

  private func until(_ condition: () async -> Bool) async throws {
    while await !condition() { try await Task.sleep(for: .milliseconds(5)) }
  }

  @Test("one gateway registers; another shows it, hands on what it is asked, and takes over with what was wanted")
  func leading() async throws {
    let files = try TemporaryGatewayStore(.postgresql)
    let share = RegistrationShare(database: try files.open())
    let port = FakePort()
    let signing = (0..<2).map { _ in SigningSecrets(Secret("a good secret")) }
    let registrars = signing.map {
      Registrar(port: port, memory: RegistrationStore(database: share.database), signing: $0, sharing: share)
    }
    let (first, second) = (registrars[0], registrars[1])
    let leading = Task { await share.lead(first, watcher(share)) }
    let following = Task { await share.follow(second) }
    try await until { await second.machine.state == .registered }
    #expect(port.calls == ["register plain"])
    #expect(await second.machine.content?.topics == [CallbackEdgeTests.method])
    #expect(await second.machine.registeredAt == first.machine.registeredAt)
    #expect(signing[1].isSettled, "it knows which secret the OMS has")

    try await second.disable()
    #expect(await second.machine.state == .disabled && port.calls.last == "disable")
    #expect(await first.machine.goal == .disabled)
    try await second.unregister()
    let error = await #expect(throws: RPCError.self) { try await second.enable() }
    #expect(error?.code == .failedPrecondition && error?.message.contains("unregistered") == true)

    leading.cancel()
    await leading.value
    let next = Task { await share.lead(second, watcher(share)) }
    try await until {
      let machine = await second.machine
      return machine.goal == .unregistered && machine.state == .unregistered
    }
    try await second.register()
    #expect(await second.machine.state == .registered && port.calls.last == "register plain")
    for task in [following, next] { task.cancel() }
    for task in [following, next] { await task.value }
    await share.database.close()
  }

  @Test("calls of all gateways are in the history of the one that keeps it, once, whoever that is")
  func timings() async throws {
    let files = try TemporaryGatewayStore(.postgresql)
    let database = try files.open()
    let (sharing, now) = (TimingSharing(database: database), WallTime(seconds: 1_700_000_000))
    func entry(_ count: Int) -> [Timings.Entry] {
      var histogram = Histogram()
      for _ in 0..<count { histogram.record(microseconds: 5, failed: false) }
      return [Timings.Entry(kind: .grpcMethod, endpoint: "/a.B/C", histogram: histogram)]
    }
    func total(_ record: TimingRecord) async -> UInt64 {
      await record.hours(kind: nil, since: nil).flatMap(\.hours).reduce(0) { $0 + $1.1.count }
    }
    try await sharing.put("bert", entry(3), now: now)
    try await sharing.put("bert", entry(4), now: now)
    #expect(try await sharing.others(than: "bert", now: now).isEmpty)

    let first = TimingRecord(TimingStore(database), isShared: true, now: now)
    await first.load(now: now)
    await first.add(service: TimingRecord.ownService, instance: "anna", entries: entry(2), now: now)
    for _ in 0..<2 {
      for (instance, entries) in try await sharing.others(than: "anna", now: now) {
        await first.add(service: TimingRecord.ownService, instance: instance, entries: entries, now: now)
      }
    }
    await first.save(now: now)
    #expect(await total(first) == 6)

    // Bert keeps it from now on, and has had another call; Anna tells him of hers.
    let second = TimingRecord(TimingStore(database), isShared: true, now: now)
    await second.add(service: TimingRecord.ownService, instance: "bert", entries: entry(4), now: now)
    await second.reload(now: now)
    await second.add(service: TimingRecord.ownService, instance: "bert", entries: entry(5), now: now)
    try await sharing.put("anna", entry(2), now: now)
    for (instance, entries) in try await sharing.others(than: "bert", now: now) {
      await second.add(service: TimingRecord.ownService, instance: instance, entries: entries, now: now)
    }
    #expect(await total(second) == 7)
    _ = try await sharing.others(than: "bert", now: now + .seconds(3_601))
    #expect(try await sharing.others(than: "bert", now: now).isEmpty, "what is long gone is forgotten")
    await database.close()
  }
}
