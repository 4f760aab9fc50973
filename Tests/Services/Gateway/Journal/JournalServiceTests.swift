import EventLoop
import Messages
import RPC
import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite(.serialized, .timeLimit(.minutes(1))) struct JournalServiceTests {
  @Test(
    "messages are listed newest first, page by page, each once, also while others come in",
    arguments: TestEngine.allCases)
  func pages(engine: TestEngine) async throws {
    try await LiveJournal.with(engine) { live in
      for n in 0..<25 { try await live.add("\(n)") }
      var (ids, token) = ([String](), "")
      repeat {
        let page = try await live.list(pageSize: 10, pageToken: token)
        ids += page.messages.map(\.deliveryId)
        token = page.nextPageToken
        try await live.add("new \(ids.count)")
      } while !token.isEmpty
      #expect(ids == (0..<25).reversed().map { "\($0)" })
      #expect(try await live.list().messages.count == 28)
    }
  }

  @Test(
    "a list of what comes goes on behind the message that was seen last, the oldest first",
    arguments: TestEngine.allCases)
  func following(engine: TestEngine) async throws {
    try await LiveJournal.with(engine) { live in
      let first = try await live.add("1")
      #expect(try await live.list(afterID: first).messages.isEmpty)
      for n in 2...5 { try await live.add("\(n)") }
      try await live.settle(4, after: first)
      let page = try await live.list(pageSize: 3, afterID: first)
      #expect(page.messages.map(\.deliveryId) == ["2", "3", "4"])
      let next = try await live.list(pageSize: 3, pageToken: page.nextPageToken, afterID: first)
      #expect(next.messages.map(\.deliveryId) == ["5"] && next.nextPageToken.isEmpty)
    }
  }

  @Test("every part of a filter counts, and all together", arguments: TestEngine.allCases)
  func filters(engine: TestEngine) async throws {
    try await LiveJournal.with(engine) { live in
      let start = WallTime(seconds: 1_700_000_000)
      let first = try await live.add("a", key: "A", .success, at: start)
      try await live.add("b", key: "B", .error, at: start + .seconds(10))
      try await live.add("c", key: "A", .ignored, method: "magento.x.y.z", at: start + .seconds(20))
      _ = try await live.store.database.write { connection in
        try JournalStore.insert(
          OutgoingMessage(deliveryID: "d", method: "m", key: "A", destination: "elsewhere", body: [], traceparent: ""),
          at: start + .seconds(30), connection)
      }
      try await live.settle(3, after: first)
      let cases: [(Omsconnector.V1.MessageFilter, String)] = [
        (.init(direction: .incoming), "cba"), (.init(direction: .outgoing), "d"),
        (.init(statuses: [.error]), "b"), (.init(statuses: [.error, .success]), "ba"),
        (.init(statuses: [.ignored, .error]), "cb"), (.init(statuses: [.pending]), "d"), (.init(statuses: [.dead]), ""),
        (.init(method: "magento.x.y.z"), "c"), (.init(method: "magento.x"), ""), (.init(key: "A"), "dca"),
        (.init(deliveryId: "b"), "b"), (.init(since: (start + .seconds(10)).timestamp), "dcb"),
        (.init(until: (start + .seconds(10)).timestamp), "a"),
        (.init(direction: .incoming, statuses: [.ignored], key: "A", since: start.timestamp), "c"),
        (.init(statuses: [.error], key: "A"), ""),
      ]
      for (filter, expected) in cases {
        #expect(try await live.list(filter).messages.map(\.deliveryId).joined() == expected, "\(filter)")
        #expect(
          try await live.list(filter, afterID: first).messages.map(\.deliveryId).joined()
            == String(expected.reversed().filter { $0 != "a" }), "\(filter)")
      }
    }
  }

  @Test("what cannot be meant is refused, with the field", arguments: TestEngine.allCases)
  func refusals(engine: TestEngine) async throws {
    try await LiveJournal.with(engine) { live in
      var first: Int64 = 0
      for n in 0..<3 {
        let id = try await live.add("\(n)")
        if n == 0 { first = id }
      }
      let known = first
      let token = try await live.list(pageSize: 1).nextPageToken
      func field(_ body: () async throws -> Void) async -> String {
        do {
          try await body()
          return "none"
        } catch { return (error as? RPCError)?.fieldViolations.first?.field ?? "\(error)" }
      }
      #expect(await field { _ = try await live.list(pageSize: -1) } == "page_size")
      #expect(await field { _ = try await live.list(pageToken: "x") } == "page_token")
      #expect(await field { _ = try await live.list(.init(key: "A"), pageToken: token) } == "page_token")
      #expect(await field { _ = try await live.list(pageToken: token, afterID: 1) } == "page_token")
      #expect(await field { _ = try await live.list(.init(statuses: [.init(rawValue: 9)])) } == "filter.statuses")
      #expect(await field { _ = try await live.list(.init(direction: .init(rawValue: 9))) } == "filter.direction")
      #expect(await field { _ = try await live.message(0) } == "id")
      #expect(await field { _ = try await live.message(99) }.contains("NOT_FOUND"))
      #expect(await field { _ = try await live.replay(.init()) } == "filter")
      #expect(await field { _ = try await live.replay(.init(filter: .init(direction: .incoming))) } == "filter")
      #expect(await field { _ = try await live.replay(.init(id: 1, filter: .init(key: "A"))) } == "filter")
      #expect(
        await field { _ = try await live.replay(.init(id: 1, replayedBy: String(repeating: "x", count: 101))) }
          == "replayed_by")
      #expect(
        await field { _ = try await live.channel.unary(JournalCalls.discard, .init(id: 1)) } == "reason")
      #expect(
        await field { _ = try await live.channel.unary(JournalCalls.discard, .init(id: known, reason: "x")) }
          .contains("SUCCESS"))
      #expect(
        await field { _ = try await live.channel.unary(JournalCalls.getQueues, .init(destination: "nowhere")) }
          == "destination")
    }
  }

  @Test("a message is shown masked, with its attempts; the journal keeps the bytes", arguments: TestEngine.allCases)
  func show(engine: TestEngine) async throws {
    try await LiveJournal.with(engine, deliver: { _ in .refused("no: token=abcdefgh") }) { live in
      let message = IncomingMessage(id: "1", key: "A", body: #"{"password":"hunter2"}"#)
      let id = try await live.store.receive(message, at: .now).id
      await live.wake()
      try await live.settled([.error])
      let shown = try await live.message(id)
      #expect(shown.body.contains(#""password":"***""#))
      #expect(shown.attemptCount == 1 && shown.attempts.count == 1)
      for text in [shown.reason, shown.attempts.first?.error ?? "", shown.body] {
        #expect(!text.contains("abcdefgh") && !text.contains("hunter2"), "\(text)")
      }
      #expect(shown.reason.contains("token=***") && shown.attempts.first?.error.contains("token=***") == true)
      let kept = try await live.store.database.read { connection in
        try connection.withStatement("SELECT body FROM journal") { statement in
          _ = try statement.step()
          return statement.blob(0)
        }
      }
      #expect(kept == message.body)
    }
  }

  @Test(
    "a body is cut where the reader wants it, and at 3 MiB at the latest",
    arguments: [
      (Int32(0), 1 << 16, true), (100, 100, true), (1 << 20, 1 << 20, true), (3 << 20, 3 << 20, true),
      (.max, 3 << 20, true),
    ])
  func bodyLimit(limit: Int32, shown: Int, isCut: Bool) async throws {
    try await LiveJournal.with { live in
      let body = "[\(Array(repeating: #"{"a":1}"#, count: 500_000).joined(separator: ","))]"
      let id = try await live.add("1", body: body)
      func message(_ limit: Int32) async throws -> JournalMessage? {
        try await live.channel.unary(JournalCalls.getMessage, .init(id: id, bodyLimit: limit)).message
      }
      let found = try #require(try await message(limit))
      #expect(found.body.utf8.count == shown - Replacement.uncertainBytes && found.bodyCut == isCut)
      let error = await #expect(throws: RPCError.self) { try await message(-1) }
      #expect(error?.fieldViolations.map(\.field) == ["body_limit"])
    }
  }

  @Test("a replay delivers again, once, says who asked, and counts its tries anew", arguments: TestEngine.allCases)
  func replay(engine: TestEngine) async throws {
    try await LiveJournal.with(engine) { live in
      let id = try await live.add("1", .error, reason: "was broken")
      let answer = try await live.replay(.init(id: id, replayedBy: "anna")).last
      #expect(answer == .init(matched: 1, replayed: 1, total: 1))
      try await live.settled([.success])
      #expect(live.delivered.withLock { $0 } == ["1/1"])
      let message = try await live.message(id)
      #expect(message.handledBy == LiveJournal.audited("anna") && message.replayCount == 1 && message.attemptCount == 1)
      #expect(message.handledAt != nil && message.reason.isEmpty)
      // A message that went well may be replayed, too.
      _ = try await live.replay(.init(id: id))
      try await live.settled([.success])
      #expect(live.delivered.withLock { $0 } == ["1/1", "1/2"])
    }
  }

  @Test(
    "a replay by filter takes what has ended, the oldest first, and says what comes out of order",
    arguments: TestEngine.allCases)
  func replayFilter(engine: TestEngine) async throws {
    let limits = DispatchMachine.Limits(inFlight: 1, loads: 1, requeued: 2)
    try await LiveJournal.with(engine, limits: limits) { live in
      for n in 0..<150 { try await live.add("\(n)", key: n < 75 ? "A" : "B", n == 100 ? .success : .error) }
      try await live.add("unknown", .error, destination: "")
      let filter = Omsconnector.V1.MessageFilter(statuses: [.error])
      let dry = try await live.replay(.init(filter: filter, dryRun: true))
      #expect(dry.last?.matched == 150 && dry.last?.replayed == 149 && dry.last?.total == 150)
      #expect(live.delivered.withLock { $0 }.isEmpty)

      let answers = try await live.replay(.init(filter: filter))
      let last = try #require(answers.last)
      #expect(last.matched == 150 && last.replayed == 149 && last.total == 150 && last.outOfOrder >= 25)
      #expect(last.notes.count <= JournalReplay.noteLimit)
      #expect(last.notes.contains { $0.contains("comes out of order") })
      #expect(answers.dropLast().map(\.matched) == [64, 128, 150] && answers.dropLast().allSatisfy { $0.total >= 150 })
      try await live.settled()
      let delivered = live.delivered.withLock { $0 }
      #expect(delivered.count == 149 && Set(delivered).count == 149)
      for key in [0..<75, 75..<150] {
        let ofKey = delivered.compactMap { Int($0.prefix { $0 != "/" }) }.filter(key.contains)
        #expect(ofKey == ofKey.sorted())
      }
      #expect(try await live.list(filter).messages.map(\.deliveryId) == ["unknown"])
    }
  }

  @Test("a message that waits is not replayed", arguments: TestEngine.allCases)
  func replayPending(engine: TestEngine) async throws {
    let gate = DeliveryGate()
    try await LiveJournal.with(engine, deliver: { _ in await gate.pass() }) { live in
      let id = try await live.add("1", .pending)
      do {
        _ = try await live.replay(.init(id: id))
        Issue.record("it was replayed")
      } catch let error as RPCError { #expect(error.code == .failedPrecondition) }
      #expect(try await live.replay(.init(filter: .init(key: "A"))).last == .init())
      gate.open()
    }
  }

  @Test(
    "what is discarded is not delivered any more, and its key goes on; what is being delivered can't be discarded",
    arguments: TestEngine.allCases)
  func discard(engine: TestEngine) async throws {
    let gate = DeliveryGate()
    try await LiveJournal.with(engine, deliver: { _ in await gate.pass() }) { live in
      let first = try await live.add("1", .pending)
      let second = try await live.add("2", .pending)
      let third = try await live.add("3", .pending)
      await live.wake()
      await gate.waitUntilEntered()
      do {
        _ = try await live.channel.unary(JournalCalls.discard, .init(id: first, reason: "too late"))
        Issue.record("it was discarded")
      } catch let error as RPCError { #expect(error.code == .aborted) }
      for _ in 0..<2 {
        let answer = try await live.channel.unary(
          JournalCalls.discard, .init(id: second, reason: "not wanted", discardedBy: "anna"))
        #expect(answer.message?.status == .ignored && answer.message?.reason == "not wanted")
        #expect(answer.message?.handledBy == LiveJournal.audited("anna") && answer.message?.finishedAt != nil)
      }
      gate.open()
      try await live.settled()
      #expect(live.delivered.withLock { $0 } == ["1/0", "3/0"])
      #expect(try await live.message(third).status == .success)
      let dead = try await live.add("4", .dead)
      #expect(
        try await live.channel.unary(JournalCalls.discard, .init(id: dead, reason: "x")).message?.status == .ignored)
    }
  }

  @Test("queues say how much waits, since when, for which keys and why", arguments: TestEngine.allCases)
  func queues(engine: TestEngine) async throws {
    try await LiveJournal.with(engine) { live in
      let start = WallTime(seconds: 1_700_000_000)
      _ = try await live.store.database.write { connection in
        for n in 0..<2_500 {
          let key = n < 1_500 ? "big" : "k\(n % 30)"
          let message = OutgoingMessage(
            deliveryID: "d\(n)", method: "m", key: key, destination: "old-way", body: [], traceparent: "")
          _ = try JournalStore.insert(message, at: start + .seconds(n), connection)
        }
      }
      let answer = try await live.channel.unary(JournalCalls.getQueues, .init(keys: 5))
      #expect(answer.queues.map(\.destination) == ["inventory", "delegate", "old-way"])
      #expect(answer.queues.map(\.direction) == [.incoming, .outgoing, .unspecified])
      #expect(answer.queues.map(\.depth) == [0, 0, 2_500])
      let queue = answer.queues[2]
      #expect(queue.oldestReceivedAt == start.timestamp && queue.keyCount == 31 && queue.keys.count == 5)
      #expect(queue.keys[0].key == "big" && queue.keys[0].depth == 1_000 && queue.keys[0].more)
      #expect(queue.keys[1].key == "k0" && queue.keys[1].depth == 34 && !queue.keys[1].more)
    }
  }

  @Test(
    "what ended long ago is deleted in small transactions; what waits, and what ended lately, stays",
    arguments: TestEngine.allCases)
  func retention(engine: TestEngine) async throws {
    let journal = try TemporaryJournal(engine)
    let start = WallTime(seconds: 1_700_000_000)
    var first: Int64 = 0
    for n in 0..<1_000 {
      var message = IncomingMessage(id: "\(n)", key: "A")
      message.status = n % 10 == 0 ? .pending : .success
      let id = try await journal.store.receive(message, at: start + .seconds(n * 3600)).id
      if n == 0 { first = id }
    }
    // One of the oldest ended yesterday.
    let now = start + .seconds(90 * 86_400)
    try await journal.store.finish(
      first, replay: 0, .error, attempts: .init(), reason: "", result: [],
      at: WallTime(nanoseconds: now.nanoseconds - 86_400 * 1_000_000_000))
    let before = journal.store.database.commits
    _ = try await JournalRetention(store: journal.store, days: 60).round(now: now)
    let old = 90 - 60
    let count = try await journal.store.database.number("SELECT count(*) FROM journal WHERE status = 2")
    #expect(count == Int64(900 - old * 24 * 9 / 10))
    #expect(try await journal.store.database.number("SELECT count(*) FROM journal WHERE status IN (1, 4)") == 100)
    #expect(journal.store.database.commits - before == (old * 24 + JournalRetention.batch - 1) / JournalRetention.batch)
    await journal.store.database.close()
  }

  @Test(
    "what was replayed, and ended again, between being found old and being deleted stays with its new end",
    arguments: TestEngine.allCases)
  func replayedMeanwhile(engine: TestEngine) async throws {
    let journal = try TemporaryJournal(engine)
    let start = WallTime(seconds: 1_700_000_000)
    var ids: [Int64] = []
    for n in 1...3 {
      var message = IncomingMessage(id: "\(n)", key: "A")
      message.status = .error
      ids.append(try await journal.store.receive(message, at: start).id)
    }
    let limit = start + .seconds(86_400)
    let replayed = ids[1...].map { JournalMessage(id: $0, key: "A", destination: "inventory") }
    #expect(try await journal.store.requeue(replayed, by: "anna", at: limit) == Set(ids[1...]))
    try await journal.store.finish(
      ids[1], replay: 1, .success, attempts: .init(), reason: "", result: [], at: limit + .seconds(1))
    try await journal.store.delete(ids, endedBefore: limit)
    #expect(try await journal.store.database.number("SELECT sum(id) FROM journal") == ids[1] + ids[2])
    await journal.store.database.close()
  }
}
