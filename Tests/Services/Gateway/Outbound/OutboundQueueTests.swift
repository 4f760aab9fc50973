import EventLoop
import Messages
import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("The queue of messages for the OMS", .serialized, .timeLimit(.minutes(5)))
struct OutboundQueueTests {
  private static let method = "magento.inventory.source_stock_management.update"

  private static func message(
    _ id: String, key: String = "k", route: BusRoute = .delegate, body: String = "{}", method: String = method
  ) -> OutgoingMessage {
    OutgoingMessage(
      deliveryID: id, method: method, key: key, destination: route.rawValue, body: Array(body.utf8), traceparent: "")
  }

  /// Runs `body` with a queue that is at work on a journal of its own.
  private func withQueue<Value>(
    on engine: TestEngine, policy: DeliveryPolicy = .outgoing, turns: (any DeliveryTurns)? = nil,
    now: @escaping @Sendable () -> WallTime = { .now },
    deliver: @escaping @Sendable (PendingMessage, BusRoute) async -> DeliveryOutcome,
    _ body: (OutboundQueue) async throws -> Value
  ) async throws -> Value {
    let journal = try TemporaryJournal(engine)
    let queue = OutboundQueue(store: journal.store, policy: policy, turns: turns, now: now, deliver: deliver)
    return try await journal.running(queue.dispatchers) { try await body(queue) }
  }

  /// Waits until the journal says so.
  private func wait(
    _ queue: OutboundQueue, until isDone: @escaping @Sendable ([Entry]) -> Bool
  ) async throws -> [Entry] {
    while true {
      let entries = try await Entry.all(queue.store)
      if isDone(entries) { return entries }
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  @Test("each message goes its way, in the order of its key", arguments: TestEngine.allCases)
  func order(engine: TestEngine) async throws {
    let seen = Lock<[String]>([])
    let entries = try await withQueue(
      on: engine,
      deliver: { message, route in
        seen.withLock { $0.append("\(route) \(message.key) \(message.deliveryID)") }
        return .delivered(result: Array("7".utf8))
      }
    ) { queue in
      for n in 0..<30 {
        _ = try await queue.enqueue(Self.message("\(n)", key: "k\(n % 3)", route: BusRoute.allCases[n % 3]), at: .now)
      }
      return try await wait(queue) { $0.allSatisfy { $0.status == .success } }
    }
    #expect(entries.count == 30 && entries.allSatisfy { $0.result == "7" })
    for (index, route) in BusRoute.allCases.enumerated() {
      let numbers = stride(from: index, to: 30, by: 3)
      #expect(seen.withLock { $0 }.filter { $0.hasPrefix("\(route) ") } == numbers.map { "\(route) k\(index) \($0)" })
    }
  }

  @Test(
    "a delivery id is one message: the same again is known, another one is told apart", arguments: TestEngine.allCases)
  func duplicates(engine: TestEngine) async throws {
    let count = Lock(0)
    try await withQueue(
      on: engine,
      deliver: { _, _ in
        count.withLock { $0 += 1 }
        return .delivered(result: [])
      }
    ) { queue in
      guard case .new(let id) = try await queue.enqueue(Self.message("a"), at: .now) else {
        Issue.record("the first message is known")
        return
      }
      #expect(try await queue.enqueue(Self.message("a"), at: .now) == .known(id))
      _ = try await wait(queue) { $0.allSatisfy { $0.status == .success } }
      #expect(try await queue.enqueue(Self.message("a"), at: .now) == .known(id))
      for other in [
        Self.message("a", key: "x"), Self.message("a", route: .events), Self.message("a", body: #"{"b":1}"#),
        Self.message("a", method: "magento.x.y.z"),
      ] {
        #expect(try await queue.enqueue(other, at: .now) == .differs(id))
      }
      guard case .new = try await queue.enqueue(Self.message("b"), at: .now) else {
        Issue.record("another id is another message")
        return
      }
      _ = try await wait(queue) { $0.count == 2 && $0.allSatisfy { $0.status == .success } }
    }
    #expect(count.withLock { $0 } == 2)
  }

  @Test(
    "a message that nobody heard of when it became durable goes when its service asks again",
    arguments: TestEngine.allCases)
  func durableUnheard(engine: TestEngine) async throws {
    try await withQueue(on: engine, deliver: { _, _ in .delivered(result: []) }) { queue in
      _ = try await queue.enqueue(Self.message("a"), at: .now)
      _ = try await wait(queue) { $0.allSatisfy { $0.status == .success } }
      // The connection to the server was lost while it committed: the queue did not get to know.
      guard case .new(let id) = try await queue.store.enqueue(Self.message("b"), at: .now) else {
        Issue.record("another message is known")
        return
      }
      #expect(try await queue.enqueue(Self.message("b"), at: .now) == .known(id))
      _ = try await wait(queue) { $0.count == 2 && $0.allSatisfy { $0.status == .success } }
    }
  }

  @Test(
    "a message that is given up is DEAD together with one notice of it, at every moment",
    arguments: TestEngine.allCases, BusRoute.allCases)
  func notice(engine: TestEngine, route: BusRoute) async throws {
    let entries = try await withQueue(
      on: engine,
      deliver: { message, _ in
        message.method == ErrorNotice.method ? .delivered(result: []) : .refused("no such source")
      }
    ) { queue in
      for n in 0..<50 { _ = try await queue.enqueue(Self.message("m\(n)", key: "\(n)", route: route), at: .now) }
      return try await wait(queue) { entries in
        let dead = entries.filter { $0.status == .dead }.count
        let notices = entries.filter { $0.method == ErrorNotice.method }
        #expect(dead == notices.count)
        return dead == 50 && notices.allSatisfy { $0.status == .success }
      }
    }
    let notices = entries.filter { $0.method == ErrorNotice.method }
    #expect(Set(notices.map(\.deliveryID)).count == 50 && notices.allSatisfy { $0.destination == "delegate" })
    let params = try #require(notices.first { $0.body.contains("\"m7\"") }.map { Array($0.body.utf8) })
    let notice = try JSONDocument(parsing: params).root
    #expect(notice["topic"]?.string == Self.method && notice["delivery_id"]?.string == "m7")
    #expect(notice["message"]?.string == "no such source" && notice["payload"]?.kind == .object)
  }

  @Test("a notice has what operators see of the message: masked, and cut when it is long")
  func noticeBody() throws {
    func payload(_ body: String) throws -> JSONValue? {
      let message = PendingMessage(
        id: 1, deliveryID: "m", method: Self.method, key: "k", body: Array(body.utf8), traceparent: "",
        waitingSince: .now, attempts: .init(), nextAttemptAt: nil, replayCount: 0)
      let notice = try #require(ErrorNotice.of(message, reason: "no"))
      return try JSONDocument(parsing: notice.body).root["payload"]
    }
    let short = try payload(#"{"sku":"\"MUG\"","password":"hunter2"}"#)
    #expect(short?["body"]?.string == #"{"sku":"\"MUG\"","password":"***"}"# && short?["body_cut"]?.text == "false")
    #expect(short?["method"]?.string == Self.method && short?["key"]?.string == "k")
    let long = try payload("{\"a\":\"" + String(repeating: "x y ", count: 10_000) + "\"}")
    #expect((long?["body"]?.string?.utf8.count ?? 0) <= ErrorNotice.bodyBytes && long?["body_cut"]?.text == "true")
  }

  @Test("a notice that is given up makes no other notice", arguments: TestEngine.allCases)
  func deadNotice(engine: TestEngine) async throws {
    let entries = try await withQueue(on: engine, deliver: { _, _ in .refused("never") }) { queue in
      _ = try await queue.enqueue(Self.message("m"), at: .now)
      return try await wait(queue) { $0.count == 2 && $0.allSatisfy { $0.status == .dead } }
    }
    #expect(entries.map(\.method) == [Self.method, ErrorNotice.method])
  }

  @Test(
    "after 48 hours of failures a message is DEAD, and was tried at least every quarter of an hour",
    arguments: TestEngine.allCases)
  func lifetime(engine: TestEngine) async throws {
    let time = InventedTime()
    let tries = Lock(0)
    let start = time.wallTime
    try await withQueue(
      on: engine, now: { time.wallTime },
      deliver: { message, _ in
        if message.method == ErrorNotice.method { return .delivered(result: []) }
        tries.withLock { $0 += 1 }
        return .failed("500")
      }
    ) { queue in
      _ = try await queue.enqueue(Self.message("m"), at: time.wallTime)
      var entry = try await wait(queue) { $0.first?.attempts == 1 }[0]
      while entry.status == .pending {
        let next = try #require(entry.nextAttemptAt)
        #expect(next - time.wallTime <= .seconds(15 * 60))
        time.advance(by: next - time.wallTime)
        for dispatcher in queue.dispatchers { await dispatcher.wake() }
        let attempts = entry.attempts
        entry = try await wait(queue) { $0[0].attempts > attempts }[0]
      }
      #expect(entry.status == .dead)
      #expect(time.wallTime - start >= .seconds(48 * 3600) && time.wallTime - start <= .seconds(48 * 3600 + 15 * 60))
    }
    #expect(tries.withLock { $0 } > 192)
  }

  @Test("with an OMS that is gone for good all are DEAD after 48 hours, with their notices, and few of them were tried")
  func gone() async throws {
    let time = InventedTime()
    let tries = Lock(0)
    try await withQueue(
      on: .sqlite, now: { time.wallTime },
      deliver: { message, _ in
        if message.method == ErrorNotice.method { return .delivered(result: []) }
        tries.withLock { $0 += 1 }
        return .unavailable("gone", retryAfter: nil)
      }
    ) { queue in
      // Notices are delivered over another route than that which is gone.
      for n in 0..<1_000 {
        _ = try await queue.enqueue(Self.message("\(n)", key: "k\(n % 10)", route: .events), at: time.wallTime)
      }
      _ = try await wait(queue) { $0.contains { $0.attempts > 0 } }
      for hour in 0..<49 {
        // Before the time goes on: a try may follow at once.
        let before = tries.withLock { $0 }
        time.advance(by: .seconds(3_600))
        for dispatcher in queue.dispatchers { await dispatcher.wake() }
        if hour < 46 {
          #expect(try await Entry.all(queue.store).allSatisfy { $0.status == .pending })
          while tries.withLock({ $0 }) == before {
            for dispatcher in queue.dispatchers { await dispatcher.wake() }
            await Task.yield()
          }
        }
      }
      let clock = Task {
        // Those that were just being tried go at the next look.
        while !Task.isCancelled {
          time.advance(by: .seconds(1))
          for dispatcher in queue.dispatchers { await dispatcher.wake() }
          await Task.yield()
        }
      }
      defer { clock.cancel() }
      let entries = try await wait(queue) { entries in
        entries.count == 2_000 && entries.allSatisfy { $0.status == .dead || $0.status == .success }
      }
      #expect(entries.filter { $0.status == .dead }.count == 1_000)
      #expect(entries.filter { $0.method == ErrorNotice.method && $0.status == .success }.count == 1_000)
      #expect(entries.filter { $0.status == .dead && $0.attempts == 0 }.count >= 900)
    }
  }

  @Test("what is held back waits, untried, and goes once it is let go", arguments: TestEngine.allCases)
  func held(engine: TestEngine) async throws {
    let time = InventedTime()
    let isHeld = Lock(true)
    let looked = Lock(0)
    try await withQueue(
      on: engine, now: { time.wallTime },
      deliver: { _, _ in
        looked.withLock { $0 += 1 }
        return isHeld.withLock { $0 } ? .held("unregistered") : .delivered(result: [])
      }
    ) { queue in
      for n in 0..<100 { _ = try await queue.enqueue(Self.message("\(n)", key: "\(n)"), at: time.wallTime) }
      while looked.withLock({ $0 }) == 0 { await Task.yield() }
      for _ in 0..<100 {
        time.advance(by: .seconds(3_600))
        for dispatcher in queue.dispatchers { await dispatcher.wake() }
      }
      for dispatcher in queue.dispatchers where dispatcher.destination == "delegate" {
        #expect(["unregistered", ""].contains(await dispatcher.breaker.lastError))
      }
      #expect(try await Entry.all(queue.store).allSatisfy { $0.status == .pending && $0.attempts == 0 })
      isHeld.withLock { $0 = false }
      time.advance(by: CircuitBreaker.holdInterval)
      for dispatcher in queue.dispatchers { await dispatcher.wake() }
      _ = try await wait(queue) { entries in
        time.advance(by: .milliseconds(10))
        return entries.allSatisfy { $0.status == .success }
      }
    }
    let dispatchers = engine == .sqlite ? 1 : JournalPartition.serverCount
    #expect(looked.withLock { $0 } < 400 * dispatchers, "one at a time looks whether it is still held back")
  }

  @Test(
    "a stop does not wait for those whose turn has not come, and loses none of them", arguments: TestEngine.allCases)
  func stop(engine: TestEngine) async throws {
    let limiter = SendLimiter(SendLimits(concurrency: 1, rate: nil))
    let (entered, enter) = AsyncStream<Void>.makeStream()
    let journal = try TemporaryJournal(engine)
    let queue = OutboundQueue(store: journal.store, turns: limiter, stopGrace: .milliseconds(50)) { _, _ in
      enter.yield()
      // As a request to an OMS that answers nothing: it ends with the task.
      await untilCancelled()
      return .unavailable("given up", retryAfter: nil)
    }
    for n in 0..<20 { _ = try await queue.enqueue(Self.message("\(n)", key: "\(n)"), at: .now) }
    let running = queue.dispatchers.map { dispatcher in Task { await dispatcher.run() } }
    for await _ in entered { break }
    for one in running { one.cancel() }
    for one in running { await one.value }
    let entries = try await Entry.all(journal.store)
    await journal.store.database.close()
    #expect(entries.count == 20 && entries.allSatisfy { $0.status == .pending })
    #expect(entries.filter { $0.attempts > 0 }.count == 1)
  }
}

/// A row of the journal.
private struct Entry: Sendable {
  let deliveryID: String
  let method: String
  let destination: String
  let status: MessageStatus
  let attempts: Int64
  let nextAttemptAt: WallTime?
  let body: String
  let result: String

  static func all(_ store: JournalStore) async throws -> [Entry] {
    try await store.database.read { connection in
      let sql = """
        SELECT delivery_id, method, destination, status, attempt_count, next_attempt_at, body, result FROM journal
        ORDER BY id
        """
      return try connection.withStatement(sql) { statement in
        var entries: [Entry] = []
        while try statement.step() {
          entries.append(
            Entry(
              deliveryID: statement.text(0), method: statement.text(1), destination: statement.text(2),
              status: MessageStatus(rawValue: Int32(statement.integer(3))), attempts: statement.integer(4),
              nextAttemptAt: statement.isNull(5) ? nil : WallTime(nanoseconds: statement.integer(5)),
              body: String(decoding: statement.blob(6), as: UTF8.self),
              result: String(decoding: statement.blob(7), as: UTF8.self)))
        }
        return entries
      }
    }
  }
}
