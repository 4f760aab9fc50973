import Storage
import TestSupport

@testable import Gateway

/// An empty journal that goes with the last reference.
final class TemporaryJournal: Sendable {
  private let file: TemporaryGatewayStore
  let store: JournalStore
  var directory: String { file.directory }

  init(_ engine: TestEngine = .sqlite) throws {
    file = try TemporaryGatewayStore(engine)
    store = JournalStore(database: try file.open())
  }

  /// The same journal, as a process that starts finds it.
  func reopened() throws -> JournalStore { JournalStore(database: try file.open()) }

  /// Runs `body` with a queue whose dispatchers are at work.
  static func withInbound<Value>(
    on engine: TestEngine = .sqlite, _ policy: DeliveryPolicy = .incoming, consume: @escaping InboundQueue.Consume,
    _ body: (InboundQueue) async throws -> Value
  ) async throws -> Value {
    let journal = try TemporaryJournal(engine)
    let queue = InboundQueue(store: journal.store, policy: policy, consume: consume)
    return try await journal.running(queue.dispatchers) { try await body(queue) }
  }

  /// Runs `body` while the dispatchers are at work.
  func running<Value>(_ dispatchers: [Dispatcher], _ body: () async throws -> Value) async throws -> Value {
    let tasks = dispatchers.map { dispatcher in Task { await dispatcher.run() } }
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
    await store.database.close()
    return try result.get()
  }
}

extension InboundQueue {
  /// Of all services and partitions.
  var dispatchers: [Dispatcher] { destinations.flatMap(\.dispatchers) }
}

extension OutboundQueue {
  /// Of all routes and partitions.
  var dispatchers: [Dispatcher] { destinations.flatMap(\.dispatchers) }
}

extension IncomingMessage {
  /// A stock message.
  init(id: String, key: String, body: String = "{}", method: String = CallbackEdgeTests.method) {
    let text = #"{"id":\#(id),"method":"\#(method)","params":\#(body)}"#
    self.init(
      deliveryID: id, method: method, key: key, destination: "inventory", body: Array(text.utf8),
      digest: SHA256.digest(ofParts: [Array(text.utf8)]), traceparent: "")
  }
}
