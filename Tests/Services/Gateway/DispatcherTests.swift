import EventLoop
import TestSupport
import Testing

@testable import Gateway

/// What was consumed, in order, by key.
private final class Ledger: Sendable {
  private let entries = Lock<[String]>([])
  var all: [String] { entries.withLock { $0 } }
  func add(_ entry: String) { entries.withLock { $0.append(entry) } }
}

@Suite(.serialized) struct DispatcherTests {
  @Test("an accepted message reaches its service, and the journal says what came of it", arguments: TestEngine.allCases)
  func delivery(engine: TestEngine) async throws {
    let receipt = try await TemporaryJournal.withInbound(
      on: engine, consume: { _, request, _ in .init(result: request.body) }
    ) {
      let message = IncomingMessage(id: "1", key: "A", body: #"{"a":1}"#)
      return await $0.outcome(of: try await $0.accept(message), message)
    }
    #expect(receipt?.status == .success)
    #expect(receipt.map { String(decoding: $0.result, as: UTF8.self) } == #"{"a":1}"#)
  }

  @Test(
    "the same message again, while it waits or later, has one effect and the same end", arguments: TestEngine.allCases)
  func duplicate(engine: TestEngine) async throws {
    let ledger = Ledger()
    let receipts = try await TemporaryJournal.withInbound(
      on: engine,
      consume: { _, request, _ in
        ledger.add(request.deliveryId)
        return .init(result: Array("7".utf8))
      }
    ) { queue in
      let message = IncomingMessage(id: "1", key: "A")
      var receipts: [Receipt?] = []
      for _ in 0..<3 { receipts.append(await queue.outcome(of: try await queue.accept(message), message)) }
      let other = IncomingMessage(id: "1", key: "A", body: #"{"b":1}"#)
      receipts.append(await queue.outcome(of: try await queue.accept(other), other))
      return receipts
    }
    #expect(receipts.map { $0?.status } == [.success, .success, .success, .success])
    #expect(receipts.compactMap { $0?.result } == Array(repeating: Array("7".utf8), count: 4))
    #expect(ledger.all == ["1", "1"], "the same id with other content is another message")
  }

  @Test("who does not wait any more leaves those who do to their answer", arguments: TestEngine.allCases)
  func waiters(engine: TestEngine) async throws {
    let (entered, enter) = AsyncStream<Void>.makeStream()
    let (released, release) = AsyncStream<Void>.makeStream()
    let kept = try await TemporaryJournal.withInbound(
      on: engine,
      consume: { _, _, _ in
        enter.yield()
        for await _ in released { break }
        return .init(result: Array("7".utf8))
      }
    ) { queue in
      let message = IncomingMessage(id: "1", key: "A")
      let receipt = try await queue.accept(message)
      let waiting = (0..<3).map { _ in Task { await queue.outcome(of: receipt, message) } }
      for await _ in entered { break }
      waiting[1].cancel()
      #expect(await waiting[1].value == nil)
      release.finish()
      return [await waiting[0].value, await waiting[2].value]
    }
    #expect(kept.map { $0?.status } == [.success, .success])
  }

  @Test(
    "nothing is delivered while it is held back, and the queue says why; then everything is",
    arguments: TestEngine.allCases)
  func heldBack(engine: TestEngine) async throws {
    let journal = try TemporaryJournal(engine)
    let held = HeldPartitions(journal.store.partitions)
    let ledger = Ledger()
    let queue = InboundQueue(store: journal.store, held: held) { _, request, _ in
      ledger.add(request.deliveryId)
      return .init()
    }
    try await journal.running(queue.dispatchers) {
      let messages = (0..<20).map { IncomingMessage(id: "\($0)", key: "k\($0 % 3)") }
      for message in messages { _ = try await queue.accept(message) }
      let partition = journal.store.partition(key: "k0", deliveryID: "0")
      let dispatcher = try #require(
        queue.dispatchers.first { $0.destination == "inventory" && $0.partition == partition })
      while await dispatcher.breaker.lastError != held.heldBack(partition) { await Task.yield() }
      #expect(ledger.all.isEmpty)
      for partition in journal.store.partitions { held.hold(partition, until: .max) }
      while ledger.all.count < 20 { await Task.yield() }
    }
  }

  @Test("what a process left behind is delivered by the next, in order", arguments: TestEngine.allCases)
  func restart(engine: TestEngine) async throws {
    let journal = try TemporaryJournal(engine)
    for n in 0..<300 {
      let message = IncomingMessage(id: "\(n)", key: "k\(n % 3)")
      _ = try await journal.store.receive(message, at: .now)
    }
    await journal.store.database.close()

    let ledger = Ledger()
    let store = try journal.reopened()
    let queue = InboundQueue(store: store) { _, request, _ in
      ledger.add(request.deliveryId)
      return .init()
    }
    try await journal.running(queue.dispatchers) {
      while ledger.all.count < 300 { await Task.yield() }
    }
    await store.database.close()
    for key in 0..<3 {
      #expect(ledger.all.compactMap { Int($0) }.filter { $0 % 3 == key } == Array(stride(from: key, to: 300, by: 3)))
    }
    #expect(try await pending(journal) == 0)
  }

  private func pending(_ journal: TemporaryJournal) async throws -> Int {
    let store = try journal.reopened()
    let count = try await store.depth("inventory")
    await store.database.close()
    return count
  }

  @Test("a stop waits for what is under way and leaves the rest in the journal", arguments: TestEngine.allCases)
  func stop(engine: TestEngine) async throws {
    let journal = try TemporaryJournal(engine)
    for n in 0..<10 {
      _ = try await journal.store.receive(IncomingMessage(id: "\(n)", key: "A"), at: .now)
    }
    let ledger = Ledger()
    let (entered, enter) = AsyncStream<Void>.makeStream()
    let (released, release) = AsyncStream<Void>.makeStream()
    let queue = InboundQueue(store: journal.store) { _, request, _ in
      enter.yield()
      for await _ in released { break }
      ledger.add(request.deliveryId)
      return .init()
    }
    let running = queue.dispatchers.map { dispatcher in Task { await dispatcher.run() } }
    for await _ in entered { break }
    for one in running { one.cancel() }
    release.yield()
    release.finish()
    for one in running { await one.value }
    await journal.store.database.close()
    #expect(ledger.all == ["0"])
    #expect(try await pending(journal) == 9)
  }
}
