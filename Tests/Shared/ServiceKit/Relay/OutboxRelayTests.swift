import EventLoop
import Glibc
import Messages
import RPC
import Storage
import Stubs
import TestSupport
import Testing

@testable import ServiceKit

@Suite("OutboxRelay")
struct OutboxRelayTests {
  private let store: TemporaryDatabase
  private let outbox = Outbox(service: "tests")
  private let path = "/tmp/oms-relay-\(getpid())-\(UInt32.random(in: .min ... .max)).sock"

  init() throws { store = try TemporaryDatabase([Outbox.migration]) }

  /// Adds messages `key:body`.
  private func add(_ texts: [String], to database: Database? = nil) async throws {
    let outbox = outbox
    try await (database ?? store.database).write { connection in
      for text in texts {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        try outbox.add(
          connection, OutboxMessage(method: "a.b", key: parts[0], route: .delegate, body: Array(parts[1].utf8)))
      }
    }
  }

  private func count(_ table: String = "outbox") async throws -> Int {
    try await store.database.read { connection in
      try connection.withStatement("SELECT count(*) FROM \(table)") { statement throws(StorageError) in
        try statement.step() ? Int(statement.integer(0)) : 0
      }
    }
  }

  /// Quick, and looking for rows by itself only where a test wants it.
  private static func options(_ change: (inout RelayOptions) -> Void = { _ in }) -> RelayOptions {
    var options = RelayOptions()
    options.interval = .seconds(3_600)
    // However slow the machine is.
    options.lease = .seconds(3_600)
    options.firstPause = .milliseconds(1)
    options.longestPause = .milliseconds(10)
    change(&options)
    return options
  }

  /// Runs a relay, and a gateway that is there from when `body` calls its last argument; ends with the relay stopped.
  private func relaying(
    to gateway: ScriptedGateway, _ options: RelayOptions = Self.options(), in database: Database? = nil,
    listens: Bool = true, afterwards: () -> Void = {}, _ body: (OutboxRelay, () throws -> Void) async throws -> Void
  ) async throws {
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    var router = Router()
    gateway.register(in: &router)
    let server = Server(group: group, router: router)
    let address = Address.unix(path: path)
    if listens { _ = try server.listen(on: address) }
    let channel = Channel(target: Target(address), group: group)
    let relay = OutboxRelay(
      outbox, in: database ?? store.database, gateway: channel, loop: group.loops[0], options: options)
    let running = Task(executorPreference: group.loops[0]) { await relay.run() }
    do {
      try await body(relay) { _ = try server.listen(on: address) }
    } catch {
      running.cancel()
      throw error
    }
    running.cancel()
    await running.value
    afterwards()
    channel.shutdown()
    _ = await server.shutdown(grace: .seconds(1))
    for suffix in ["", ".lock"] { unlink(path + suffix) }
  }

  @Test("what is there at the start, and what is told of later, goes at once, and leaves the outbox")
  func hands() async throws {
    let gateway = ScriptedGateway()
    try await add(["a:1", "a:2", ":3"])
    try await relaying(to: gateway) { relay, _ in
      await gateway.takes(3)
      try await add(["a:4"])
      relay.wake()
      await gateway.takes(4)
    }
    #expect(Set(gateway.bodies) == ["1", "2", "3", "4"])
    let request = try #require(gateway.taken.first { $0.body == Array("1".utf8) })
    #expect([request.method, request.key] == ["a.b", "a"])
    #expect(request.route == .delegate)
    #expect(request.deliveryId.hasPrefix("tests-") && request.deliveryId.hasSuffix("-1"))
    #expect(try await count() == 0)
    await store.database.close()
  }

  @Test("what another replica adds is found by looking now and then")
  func looks() async throws {
    let gateway = ScriptedGateway()
    try await relaying(to: gateway, Self.options { $0.interval = .milliseconds(5) }) { _, _ in
      try await add(["a:1"])
      await gateway.takes(1)
      try await add(["a:2"])
      await gateway.takes(2)
    }
    #expect(gateway.bodies == ["1", "2"])
    await store.database.close()
  }

  @Test("messages of one key go in order, one at a time, also over failures; others pass them")
  func order() async throws {
    let latch = Latch()
    let gateway = ScriptedGateway { request, attempt in
      if request.key == "slow", request.body == Array("1".utf8) { await latch.pass() }
      if request.key == "flaky", attempt == 1 { throw RPCError(.internalError, "try again") }
    }
    try await add((1...20).flatMap { ["slow:\($0)", "flaky:\($0)", "b:\($0)"] })
    try await relaying(to: gateway) { _, _ in
      await gateway.takes(40)
      #expect(!gateway.taken.contains { $0.key == "slow" })
      latch.open()
      await gateway.takes(60)
    }
    for key in ["slow", "flaky", "b"] {
      let bodies = gateway.taken.filter { $0.key == key }.map { String(decoding: $0.body, as: UTF8.self) }
      #expect(bodies == (1...20).map(String.init))
    }
    #expect(try await count() == 0)
    await store.database.close()
  }

  @Test("no more calls are under way than allowed")
  func bounded() async throws {
    let underWay = Lock((now: 0, most: 0))
    let gateway = ScriptedGateway { _, _ in
      underWay.withLock {
        $0.now += 1
        $0.most = max($0.most, $0.now)
      }
      await Task.yield()
      underWay.withLock { $0.now -= 1 }
    }
    try await add((1...500).map { ":\($0)" })
    let options = Self.options {
      $0.maximumRows = 16
      $0.maximumCalls = 4
    }
    try await relaying(to: gateway, options) { _, _ in await gateway.takes(500) }
    #expect(underWay.withLock { $0.most } <= 4)
    #expect(Set(gateway.bodies).count == 500)
    #expect(try await count() == 0)
    await store.database.close()
  }

  @Test("while the gateway is away everything waits; once it is there everything goes, in order")
  func away() async throws {
    let gateway = ScriptedGateway()
    try await add((1...50).map { "a:\($0)" })
    try await relaying(to: gateway, listens: false) { _, listen in
      #expect(try await count() == 50)
      try listen()
      await gateway.takes(50)
    }
    #expect(gateway.bodies == (1...50).map(String.init))
    #expect(try await count() == 0)
    await store.database.close()
  }

  @Test(
    "a gateway that can't take messages now is asked again, with one message, until it can",
    arguments: [StatusCode.unavailable, .resourceExhausted, .unimplemented, .permissionDenied])
  func failing(code: StatusCode) async throws {
    let failures = Lock(0)
    let gateway = ScriptedGateway { _, _ in
      let failure = failures.withLock {
        $0 += 1
        return $0
      }
      if failure <= 60 { throw RPCError(code, "not now") }
    }
    try await add((1...40).map { "\($0):\($0)" })
    try await relaying(to: gateway) { _, _ in await gateway.takes(40) }
    // All that were under way fail once; from then on it is one at a time.
    #expect(gateway.attempts >= 100 && gateway.attempts < 100 + 40)
    #expect(Set(gateway.bodies).count == 40)
    #expect(try await count() == 0)
    await store.database.close()
  }

  @Test("what the gateway refuses for good is put aside and stops nobody")
  func refused() async throws {
    let gateway = ScriptedGateway { request, _ in
      if request.body == Array("bad".utf8) { throw RPCError.invalid(field: "body", "no object") }
      if request.body == Array("reused".utf8) { throw RPCError(.alreadyExists, "the id of another message") }
    }
    try await add(["a:1", "a:bad", "a:2", ":reused", "b:3"])
    try await relaying(to: gateway) { _, _ in await gateway.takes(3) }
    #expect(gateway.taken.filter { $0.key == "a" }.map(\.body) == [Array("1".utf8), Array("2".utf8)])
    #expect(try await count() == 0)
    #expect(try await count("outbox_refused") == 2)
    await store.database.close()
  }

  @Test("a store that was brought back from a backup gives its messages other ids, and loses none")
  func restored() async throws {
    let first = Lock("")
    let gateway = ScriptedGateway { request, _ in
      // What the gateway has from before the backup was brought back.
      let store = first.withLock { first in
        if first.isEmpty { first = String(request.deliveryId.prefix("tests-".count + 16)) }
        return first
      }
      guard request.deliveryId.hasPrefix(store), ["a", "b"].contains(request.key) else { return }
      throw RPCError(
        .alreadyExists, "another message",
        details: [.errorInfo(reason: "DELIVERY_ID_REUSED", domain: "omsconnector")])
    }
    try await add(["a:1", "a:2", "b:3", "c:4", "a:5"])
    try await relaying(to: gateway) { _, _ in await gateway.takes(5) }
    #expect(gateway.taken.filter { $0.key == "a" }.map(\.body) == ["1", "2", "5"].map { Array($0.utf8) })
    #expect(Set(gateway.bodies) == ["1", "2", "3", "4", "5"])
    #expect(try await count() == 0)
    #expect(try await count("outbox_refused") == 0)
    await store.database.close()
  }

  @Test("a gateway that has seen every id is not asked for ever")
  func reusedForEver() async throws {
    let gateway = ScriptedGateway { request, _ in
      guard request.key == "a" else { return }
      throw RPCError(
        .alreadyExists, "another message",
        details: [.errorInfo(reason: "DELIVERY_ID_REUSED", domain: "omsconnector")])
    }
    try await add(["a:1", "b:2"])
    try await relaying(to: gateway) { relay, _ in
      await gateway.takes(1)
      while gateway.attempts < 3 { await Task.yield() }
    }
    #expect(gateway.attempts == 3)
    #expect(try await count() == 0)
    #expect(try await count("outbox_refused") == 1)
    await store.database.close()
  }

  @Test("a message that alone makes the gateway fail holds up its key only")
  func poison() async throws {
    let isHealed = Lock(false)
    let gateway = ScriptedGateway { request, _ in
      if request.key == "a", !isHealed.withLock({ $0 }) { throw RPCError(.internalError, "stumbled") }
    }
    try await add(["a:1"] + (1...100).map { "b\($0 % 7):\($0)" } + ["a:2"])
    try await relaying(to: gateway) { _, _ in
      await gateway.takes(100)
      #expect(!gateway.taken.contains { $0.key == "a" })
      isHealed.withLock { $0 = true }
      await gateway.takes(102)
    }
    #expect(gateway.taken.filter { $0.key == "a" }.map(\.body) == [Array("1".utf8), Array("2".utf8)])
    await store.database.close()
  }

  @Test("a message whose answer is lost is handed over again under the same delivery id")
  func lostAnswer() async throws {
    let taking = Lock<ScriptedGateway?>(nil)
    let gateway = ScriptedGateway { request, attempt in
      guard attempt == 1 else { return }
      taking.withLock { $0 }?.take(request)
      throw RPCError(.unavailable, "the connection broke")
    }
    taking.withLock { $0 = gateway }
    try await add(["a:1", "a:2"])
    try await relaying(to: gateway) { _, _ in await gateway.takes(4) }
    taking.withLock { $0 = nil }
    #expect(gateway.bodies == ["1", "1", "2", "2"])
    #expect(Set(gateway.taken.map(\.deliveryId)).count == 2)
    #expect(try await count() == 0)
    await store.database.close()
  }

  @Test("a relay that was stopped in the middle leaves the rest to the next one")
  func stopped() async throws {
    let (asked, latch) = (Latch(), Latch())
    let gateway = ScriptedGateway { request, _ in
      if request.body == Array("3".utf8) {
        asked.open()
        await latch.pass()
      }
    }
    try await add((1...5).map { "a:\($0)" })
    let options = Self.options { $0.grace = .milliseconds(1) }
    try await relaying(to: gateway, options, afterwards: { latch.open() }) { _, _ in await asked.pass() }
    #expect(try await count() == 3)
    let next = ScriptedGateway()
    try await relaying(to: next) { _, _ in await next.takes(3) }
    #expect(next.bodies == ["3", "4", "5"])
    #expect(try await count() == 0)
    await store.database.close()
  }

  @Test("of two replicas one relays; when it stops, the other goes on at once")
  func replicas() async throws {
    let other = try store.another()
    let (first, second) = (ScriptedGateway(), ScriptedGateway())
    try await add(["a:1"])
    try await relaying(to: first) { relay, _ in
      await first.takes(1)
      let rival = OutboxRelay(
        outbox, in: other, gateway: try closedChannel(), loop: try EventLoop(), options: Self.options())
      try await add(["a:2"], to: other)
      await rival.look()
      #expect(await rival.window.isEmpty)
      relay.wake()
      await first.takes(2)
    }
    try await add(["a:3"])
    try await relaying(to: second, in: other) { _, _ in await second.takes(1) }
    #expect(first.bodies == ["1", "2"])
    #expect(second.bodies == ["3"])
    for database in [store.database, other] { await database.close() }
  }

  @Test("what a dead replica relayed passes on to another one within five seconds")
  func deadReplica() async throws {
    let (outbox, options) = (outbox, RelayOptions())
    let second: Int64 = 1_000_000_000
    try await add(["a:1"])
    func mayRelay(_ holder: String, at now: Int64) async throws -> Bool {
      try await store.database.write { try outbox.lease($0, to: holder, for: options.lease, now: now) }
    }
    #expect(try await mayRelay("dead", at: 100 * second))
    #expect(try await !mayRelay("next", at: 101 * second))
    // Its last look before that may be as long ago as the interval.
    let last = 105 * second - Int64(options.interval.nanoseconds)
    #expect(try await store.database.read { try outbox.awaits("next", $0, for: options.lease, now: last) })
    #expect(try await mayRelay("next", at: last))
    await store.database.close()
  }

  @Test("on PostgreSQL a row that commits behind one that was read already is not overtaken by the next of its key")
  func lateCommit() async throws {
    let store = try TemporaryDatabase([Outbox.migration, Outbox.numberMigration], on: .postgresql)
    let other = try store.another()
    let (gateway, gate, outbox) = (ScriptedGateway(), Gate(), outbox)
    let late = try other.enqueueWrite { connection in
      try outbox.add(
        connection, OutboxMessage(method: "a.b", key: "a", route: .delegate, body: Array("1".utf8)))
      gate.pass()
    }
    await gate.waitUntilEntered()
    try await add(["b:2"], to: store.database)
    try await relaying(to: gateway, in: store.database) { relay, _ in
      await gateway.takes(1)
      #expect(gateway.bodies == ["2"])
      gate.open()
      try await late.value()
      try await add(["a:3"], to: store.database)
      relay.wake()
      await gateway.takes(2)
      #expect(gateway.bodies.prefix(2) == ["2", "1"])
      await gateway.takes(3)
    }
    #expect(gateway.bodies == ["2", "1", "3"])
    for database in [store.database, other] { await database.close() }
    await self.store.database.close()
  }

  private func closedChannel() throws -> Channel {
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    return Channel(target: Target(Address.unix(path: path + ".none")), group: group)
  }
}
