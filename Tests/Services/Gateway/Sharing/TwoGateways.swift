import EventLoop
import Messages
import RPC
import Storage
import TestSupport

@testable import Gateway

/// Two gateways on one journal, in one process, each with a store of its own and half of the partitions.
final class TwoGateways: Sendable {
  struct Member: Sendable {
    let store: JournalStore
    let held: HeldPartitions
    let leases: GatewayLeases
    let queue: InboundQueue
    let watch: PartitionWatch
    let discards: JournalDiscard
    let replay: JournalReplay
  }

  /// What was consumed, in order: whose it was, and the delivery id.
  final class Ledger: Sendable {
    private let entries = Lock<[(member: Int, id: String)]>([])
    func add(_ member: Int, _ id: String) { entries.withLock { $0.append((member, id)) } }
    var members: Set<Int> { entries.withLock { Set($0.map(\.member)) } }
    var ids: [String] { entries.withLock { $0.map(\.id) } }
  }

  let members: [Member]
  let consumed = Ledger()

  private init(_ files: TemporaryGatewayStore, consume: @escaping @Sendable (String) async throws -> Void) throws {
    let consumed = self.consumed
    members = try (0..<2).map { number in
      let store = JournalStore(database: try files.open())
      let held = HeldPartitions(store.partitions)
      let queue = InboundQueue(store: store, held: held) { _, request, _ in
        try await consume(request.deliveryId)
        consumed.add(number, request.deliveryId)
        return .init(result: Array("7".utf8))
      }
      let duties = store.partitions.map { partition in
        Gateway.duty(partition, queue.destinations)
      }
      let leases = GatewayLeases(LeaseStore(database: store.database), held: held, shared: duties)
      let watch = PartitionWatch(store: store, held: held, queue.destinations) { false }
      let destinations = Dictionary(uniqueKeysWithValues: queue.destinations.map { ($0.name, $0) })
      return Member(
        store: store, held: held, leases: leases, queue: queue, watch: watch,
        discards: JournalDiscard(store: store, destinations: destinations, held: held),
        replay: JournalReplay(
          store: store, destinations: destinations, nudge: { watch.nudge() }, consumed: { _ in nil }))
    }
  }

  /// Runs `body` when each has half of the partitions.
  static func with(
    consume: @escaping @Sendable (String) async throws -> Void = { _ in },
    _ body: (TwoGateways) async throws -> Void
  ) async throws {
    let files = try TemporaryGatewayStore(.postgresql)
    let both = try TwoGateways(files, consume: consume)
    let tasks = both.members.flatMap { member in
      [Task { await member.leases.run() }, Task { await member.watch.run() }]
    }
    let result: Result<Void, any Error>
    do {
      let half = JournalPartition.serverCount / 2
      for member in both.members {
        while await member.leases.keys.count != half { try await Task.sleep(for: .milliseconds(5)) }
      }
      result = .success(try await body(both))
    } catch { result = .failure(error) }
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
    for member in both.members { await member.store.database.close() }
    try result.get()
  }

  /// The ids that were consumed, in order.
  var ids: [String] { consumed.ids }

  /// Returns when so many have been consumed.
  func wait(for count: Int) async throws {
    while ids.count < count { try await Task.sleep(for: .milliseconds(5)) }
  }

  /// Who does not deliver a message.
  func other(than id: Int64) -> Member {
    members.first { !$0.held.isHeld($0.store.partition(of: id)) } ?? members[0]
  }

  /// Who delivers a message.
  func holder(of id: Int64) -> Member {
    members.first { $0.held.isHeld($0.store.partition(of: id)) } ?? members[0]
  }
}
