import EventLoop
import Storage
import TestSupport
import Testing

@testable import ServiceKit

@Suite("Work that goes on while a service runs")
struct WorkRunnerTests {
  private let queue = WorkQueue(kind: "order")

  private struct Failure: Error {}

  /// Runs a runner until `body` returns.
  private func running(
    _ store: TemporaryDatabase, _ options: WorkRunner.Options = .init(), _ handler: @escaping WorkRunner.Handler,
    _ body: (WorkRunner) async throws -> Void
  ) async throws {
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let runner = WorkRunner(queue, in: store.database, loop: group.loops[0], options: options, handler: handler)
    let task = Task { await runner.run() }
    try await body(runner)
    task.cancel()
    await task.value
    await store.database.close()
  }

  private func add(_ store: TemporaryDatabase, _ keys: [String]) async throws {
    let queue = queue
    try await store.database.write { connection in for key in keys { try queue.add(connection, key) } }
  }

  /// The next of what the handler yields.
  private typealias Calls = AsyncStream<String>

  @Test("every key is worked on, no more at a time than allowed")
  func concurrency() async throws {
    let store = try TemporaryDatabase([WorkQueue.migration])
    let keys = (0..<40).map { "\($0)" }
    try await add(store, keys)
    let now = Lock((running: 0, most: 0))
    let (calls, call) = Calls.makeStream()
    var options = WorkRunner.Options()
    options.concurrency = 3
    try await running(store, options) { item in
      now.withLock {
        $0.running += 1
        $0.most = max($0.most, $0.running)
      }
      await Task.yield()
      now.withLock { $0.running -= 1 }
      call.yield(item.key)
      return .done
    } _: { _ in
      var seen: Set<String> = []
      for await key in calls {
        seen.insert(key)
        if seen.count == keys.count { break }
      }
      #expect(seen == Set(keys))
    }
    #expect((1...3).contains(now.withLock { $0.most }))
  }

  @Test("what throws is tried again until it is done; what is parked is not")
  func retries() async throws {
    let store = try TemporaryDatabase([WorkQueue.migration])
    try await add(store, ["throws", "parks"])
    var options = WorkRunner.Options()
    options.firstPause = .milliseconds(1)
    options.interval = .milliseconds(5)
    let (calls, call) = Calls.makeStream()
    let tries = Lock(0)
    try await running(store, options) { item in
      call.yield(item.key)
      if item.key == "parks" { return .parked(reason: "somebody has to look") }
      let number = tries.withLock { tries in
        tries += 1
        return tries
      }
      if number < 4 { throw Failure() }
      #expect(item.attempts == 3)
      return .done
    } _: { _ in
      var count = 0
      for await key in calls where key == "throws" {
        count += 1
        if count == 4 { break }
      }
    }
    // The runner has ended, and with it what it had to note.
    let reopened = try store.another()
    let queue = queue
    let count = try await reopened.read { try queue.count($0) }
    #expect(count.waiting == 0 && count.parked == 1)
    #expect(try await reopened.read { try queue.waiting($0, "parks") }?.reason == "somebody has to look")
    await reopened.close()
  }

  @Test("what has thrown for too long is parked with its last reason")
  func givenUp() async throws {
    let store = try TemporaryDatabase([WorkQueue.migration])
    try await add(store, ["1"])
    var options = WorkRunner.Options()
    options.giveUpAfter = .zero
    let (calls, call) = Calls.makeStream()
    try await running(store, options) { _ in
      call.yield("")
      throw Failure()
    } _: { _ in
      for await _ in calls { break }
    }
    let reopened = try store.another()
    let queue = queue
    let work = try #require(try await reopened.read { try queue.waiting($0, "1") })
    #expect(work.isParked && work.reason.contains("given up") && work.reason.contains("Failure"))
    await reopened.close()
  }
}
