import EventLoop
import Glibc
import Messages
import RPC
import Storage
import Stubs
import TestSupport
import Testing

@testable import Gateway

typealias JournalCalls = Omsconnector.V1.JournalServiceMethods

/// The journal's service behind a real server, with one dispatcher at work for each way.
final class LiveJournal: Sendable {
  let journal: TemporaryJournal
  let channel: Channel
  private let dispatchers: [Dispatcher]
  /// Delivery ids with the number of their replay, in the order of delivery.
  let delivered = Lock<[String]>([])

  var store: JournalStore { journal.store }

  let states: QueueStates

  private init(
    _ journal: TemporaryJournal, _ channel: Channel, _ states: QueueStates, _ dispatchers: [Dispatcher]
  ) {
    self.states = states
    self.journal = journal
    self.channel = channel
    self.dispatchers = dispatchers
  }

  /// What is kept of whoever calls over the Unix socket, which is this process's user.
  static func audited(_ claimed: String) -> String {
    guard let name = getpwuid(getuid())?.pointee.pw_name else { return "user \(getuid()) (as \(claimed))" }
    return "\(String(cString: name)) (as \(claimed))"
  }

  /// Messages were added behind the dispatchers' backs.
  func wake() async { for dispatcher in dispatchers { await dispatcher.wake() } }

  /// - Parameters:
  ///   - limits: of the dispatchers.
  ///   - consumed: what services say that they consume; nil for one that does not answer.
  ///   - heldBack: why nothing goes to the OMS.
  ///   - deliver: what becomes of a message; it has been written down by then.
  static func with(
    _ engine: TestEngine = .sqlite, limits: DispatchMachine.Limits = .init(),
    heldBack: @escaping @Sendable () async -> String? = { nil },
    consumed: @escaping TopicWatcher.Ask = { _ in nil },
    deliver: @escaping @Sendable (PendingMessage) async -> DeliveryOutcome = { _ in .delivered(result: []) },
    _ body: (LiveJournal) async throws -> Void
  ) async throws {
    let journal = try TemporaryJournal(engine)
    let live = Lock<LiveJournal?>(nil)
    func destination(_ name: String, _ policy: DeliveryPolicy) -> Destination {
      Destination(name, partitions: journal.store.partitions) { partition in
        Dispatcher(destination: name, partition: partition, store: journal.store, policy: policy, limits: limits) {
          message in
          let live = live.withLock { $0 }
          live?.delivered.withLock { $0.append("\(message.deliveryID)/\(message.replayCount)") }
          return await deliver(message)
        }
      }
    }
    var policy = DeliveryPolicy.incoming
    policy.maximumAttempts = 1
    let (incoming, outgoing) = ([destination("inventory", policy)], [destination("delegate", .outgoing)])
    let dispatchers = (incoming + outgoing).flatMap(\.dispatchers)
    let watch = PartitionWatch(store: journal.store, held: .all, incoming + outgoing)
    let group = try EventLoopGroup(loops: 1)
    var router = Router()
    let states = QueueStates(store: journal.store, incoming: incoming, outgoing: outgoing, heldBack: heldBack)
    JournalService(
      store: journal.store, states: states, nudge: { watch.nudge() }, consumed: consumed,
      outboxes: { [.init(service: "inventory", depth: 7)] }
    ).register(in: &router)
    let server = Server(group: group, router: router)
    let address = try server.listen(on: Address(parsing: "unix:\(journal.directory)/socket"))
    let channel = Channel(target: Target(address), group: group)
    let harness = LiveJournal(journal, channel, states, dispatchers)
    live.withLock { $0 = harness }
    let result: Result<Void, any Error>
    do {
      let watching = Task { await watch.run() }
      defer { watching.cancel() }
      try await journal.running(dispatchers) {
        do { try await body(harness) } catch {
          channel.shutdown()
          throw error
        }
        channel.shutdown()
      }
      result = .success(())
    } catch { result = .failure(error) }
    live.withLock { $0 = nil }
    _ = await server.shutdown(grace: .seconds(1))
    group.stop()
    try result.get()
  }

  /// A message that has ended.
  @discardableResult
  func add(
    _ id: String, key: String = "A", _ status: MessageStatus = .success, method: String = CallbackEdgeTests.method,
    destination: String = "inventory", body: String = "{}", reason: String = "", at time: WallTime = .now
  ) async throws -> Int64 {
    var message = IncomingMessage(id: id, key: key, body: body, method: method)
    (message.destination, message.status, message.reason) = (destination, status, reason)
    return try await store.receive(message, at: time).id
  }

  func list(
    _ filter: Omsconnector.V1.MessageFilter? = nil, pageSize: Int32 = 0, pageToken: String = "", afterID: Int64 = 0
  ) async throws -> Omsconnector.V1.ListMessagesResponse {
    try await channel.unary(
      JournalCalls.listMessages,
      .init(filter: filter, pageSize: pageSize, pageToken: pageToken, afterId: afterID))
  }

  /// Returns when who follows the journal sees so many messages behind that one.
  func settle(_ count: Int, after id: Int64) async throws {
    while try await list(afterID: id).messages.count < count { try await Task.sleep(for: .milliseconds(10)) }
  }

  func message(_ id: Int64) async throws -> JournalMessage {
    try await channel.unary(JournalCalls.getMessage, .init(id: id)).message ?? .init()
  }

  func replay(_ request: Omsconnector.V1.ReplayRequest) async throws -> [Omsconnector.V1.ReplayResponse] {
    var responses: [Omsconnector.V1.ReplayResponse] = []
    for try await response in try await channel.serverStreaming(JournalCalls.replay, request) {
      responses.append(response)
    }
    return responses
  }

  /// Returns when no message waits any more: each one's try tells when it has ended.
  func settled(_ statuses: Set<MessageStatus> = [.success, .ignored, .error, .dead]) async throws {
    while let (id, destination) = try await firstPending() { try await tried(id, destination) }
    let text = statuses.map { "\($0.rawValue)" }.joined(separator: ", ")
    #expect(try await store.database.number("SELECT count(*) FROM journal WHERE status NOT IN (\(text))") == 0)
  }

  /// As ``settled(_:)``, of one destination.
  func settled(only destination: String) async throws {
    while let (id, _) = try await firstPending(destination) { try await tried(id, destination) }
  }

  /// Returns when the next try of a message has ended.
  func tried(_ id: Int64, _ destination: String) async throws {
    let partition = store.partition(of: id)
    let dispatcher = try #require(
      dispatchers.first { $0.destination == destination && $0.partition == partition })
    _ = await dispatcher.outcome(of: id)
  }

  private func firstPending(_ destination: String? = nil) async throws -> (id: Int64, destination: String)? {
    try await store.database.read { connection in
      let sql = "SELECT id, destination FROM journal WHERE status = 1 AND destination LIKE ?1 ORDER BY id LIMIT 1"
      return try connection.withStatement(sql) { statement in
        try statement.bind(destination ?? "%", at: 1)
        return try statement.step() ? (statement.integer(0), statement.text(1)) : nil
      }
    }
  }
}
