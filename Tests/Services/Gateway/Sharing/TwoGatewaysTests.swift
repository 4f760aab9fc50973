import EventLoop
import Messages
import RPC
import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("Two gateways on one journal", .serialized, .timeLimit(.minutes(2)))
struct TwoGatewaysTests {
  @Test("messages of a key come in order and once, whichever gateway takes them")
  func order() async throws {
    try await TwoGateways.with { both in
      let (keys, count) = (20, 400)
      for n in 0..<count {
        _ = try await both.members[n % 2].queue.accept(IncomingMessage(id: "\(n)", key: "k\(n % keys)"))
      }
      try await both.wait(for: count)
      let ids = both.ids.compactMap { Int($0) }
      for key in 0..<keys {
        #expect(ids.filter { $0 % keys == key } == Array(stride(from: key, to: count, by: keys)))
      }
      #expect(both.consumed.members == [0, 1], "both deliver")
    }
  }

  @Test("a message is answered by the gateway that took it, also when the other one delivers it")
  func outcome() async throws {
    try await TwoGateways.with { both in
      for n in 0..<8 {
        let message = IncomingMessage(id: "\(n)", key: "k\(n)")
        let queue = both.members[n % 2].queue
        let outcome = await queue.outcome(of: try await queue.accept(message), message)
        #expect(outcome?.status == .success && outcome?.result == Array("7".utf8))
      }
    }
  }

  @Test("what is replayed at one gateway is delivered by the one that has it, once")
  func replay() async throws {
    try await TwoGateways.with { both in
      var message = IncomingMessage(id: "1", key: "A")
      message.status = .error
      let id = try await both.members[0].store.receive(message, at: .now).id
      let other = both.other(than: id)
      let result = try await other.replay.replay(
        JournalFilter(statuses: [.error]), in: id...id, by: "anna", dryRun: false, progress: { _ in })
      #expect(result.replayed == 1)
      try await both.wait(for: 1)
      while try await other.store.receipt(id)?.status != .success { try await Task.sleep(for: .milliseconds(5)) }
      #expect(both.ids == ["1"])
    }
  }

  @Test(
    "what is replayed is left to who delivers: not to a dispatcher that is not at work, nor to one without the lease")
  func nobodyAtWork() async throws {
    let journal = try TemporaryJournal(.postgresql)
    let store = journal.store
    let held = HeldPartitions(store.partitions)
    let queue = InboundQueue(store: store, held: held) { _, _, _ in .init() }
    let watch = PartitionWatch(store: store, held: held, queue.destinations)
    var message = IncomingMessage(id: "1", key: "A")
    message.status = .error
    let id = try await store.receive(message, at: .now).id
    let replayed = JournalMessage(id: id, status: .error, key: "A", destination: "inventory")
    #expect(try await store.requeue([replayed], by: "anna", at: .now) == [id])
    let partition = store.partition(of: id)
    held.hold(partition, until: .max)
    await watch.look()
    #expect(try await store.hasTask(.again, id))
    held.hold(partition, until: 1)
    try await journal.running(queue.dispatchers) {
      while await !queue.dispatchers[0].isRunning { await Task.yield() }
      await watch.look()
      #expect(try await store.hasTask(.again, id))
      held.hold(partition, until: .max)
      while try await store.hasTask(.again, id) { await watch.look() }
      while try await store.receipt(id)?.status != .success { await Task.yield() }
    }
  }

  @Test("what is discarded at one gateway is not delivered by the other, unless it is just being delivered")
  func discard() async throws {
    let gate = DeliveryGate()
    try await TwoGateways.with(consume: { _ in _ = await gate.pass() }) { both in
      var ids: [Int64] = []
      for n in 0..<3 {
        ids.append(try await both.members[0].queue.accept(IncomingMessage(id: "\(n)", key: "A")).id)
      }
      await gate.waitUntilEntered()
      let other = both.other(than: ids[0])
      func message(_ id: Int64) -> JournalMessage {
        JournalMessage(id: id, status: .pending, key: "A", destination: "inventory")
      }
      let word = JournalDiscard.Word(reason: "not wanted", handler: "anna")
      let error = await #expect(throws: RPCError.self) { try await other.discards.one(message(ids[0]), word) }
      #expect(error?.code == .aborted && error?.message.contains("being delivered") == true)
      try await other.discards.one(message(ids[1]), word)
      #expect(try await other.store.receipt(ids[1])?.reason == "not wanted")
      gate.open()
      try await both.wait(for: 2)
      #expect(both.ids == ["0", "2"])
    }
  }
}
