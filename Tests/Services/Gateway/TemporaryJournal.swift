import Glibc
import Storage

@testable import Gateway

/// An empty journal in a directory of its own that is removed with the last reference.
final class TemporaryJournal: Sendable {
  let directory: String
  let store: JournalStore

  init() throws {
    var template = Array("/tmp/oms-journal-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw StorageError(.cannotOpen, "mkdtemp: \(errno)") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    store = try Self.open(directory)
  }

  deinit {
    for suffix in ["", "-wal", "-shm", "-turn"] { unlink("\(directory)/gateway.sqlite\(suffix)") }
    rmdir(directory)
  }

  /// The same journal, as a process that starts finds it.
  func reopened() throws -> JournalStore { try Self.open(directory) }

  private static func open(_ directory: String) throws -> JournalStore {
    JournalStore(
      database: try Database(
        service: "gateway", at: .sqlite(directory: directory), migrations: GatewaySchema.migrations))
  }

  /// Runs `body` with a queue whose dispatchers are at work.
  static func withInbound<Value>(
    _ policy: DeliveryPolicy = .incoming, consume: @escaping InboundQueue.Consume,
    _ body: (InboundQueue) async throws -> Value
  ) async throws -> Value {
    let journal = try TemporaryJournal()
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

extension IncomingMessage {
  /// A stock message.
  init(id: String, key: String, body: String = "{}", method: String = CallbackEdgeTests.method) {
    let text = #"{"id":\#(id),"method":"\#(method)","params":\#(body)}"#
    self.init(
      deliveryID: id, method: method, key: key, destination: "inventory", body: Array(text.utf8),
      digest: SHA256.digest(ofParts: [Array(text.utf8)]), traceparent: "")
  }
}
