import EventLoop
import Testing

@testable import Storage

@Suite("Gathering callers")
struct JobQueueTests {
  private func queue(_ jobs: Int, weight: Int = 1) throws -> JobQueue {
    let queue = JobQueue(what: "writes", maximumCount: 100)
    for _ in 0..<jobs { try queue.add(TypedJob<Void>(weight: weight) { _ in }) }
    return queue
  }

  /// An hour: what returns before that did not wait for the time.
  private static let long: UInt64 = 3_600_000_000_000

  @Test(
    "what comes late is taken as far as there is room",
    arguments: [(count: 2, weight: 100, taken: 2), (5, 7, 3), (5, 100, 3), (5, 1, 0), (0, 100, 0)])
  func takeMore(room: (count: Int, weight: Int, taken: Int)) throws {
    let queue = try queue(3, weight: 2)
    #expect(queue.takeMore(maximumCount: room.count, maximumWeight: room.weight).count == room.taken)
    #expect(queue.count == 3 - room.taken)
  }

  @Test("ends as soon as enough calls wait, or enough weight")
  func enough() throws {
    try queue(3).gather(count: 3, weight: 1_000, nanoseconds: Self.long)
    try queue(2, weight: 500).gather(count: 3, weight: 1_000, nanoseconds: Self.long)
  }

  @Test("ends when the last call arrives")
  func arrival() async throws {
    let queue = try queue(1)
    async let arrived: Void = queue.add(TypedJob<Void>(weight: 1) { _ in })
    await Task.detached { queue.gather(count: 2, weight: 1_000, nanoseconds: Self.long) }.value
    try await arrived
    #expect(queue.count == 2)
  }

  @Test("ends when the queue is closed")
  func closed() throws {
    let queue = try queue(1)
    queue.close()
    queue.gather(count: 3, weight: 1_000, nanoseconds: Self.long)
  }

  @Test("ends after its time when nobody comes")
  func timeOut() throws {
    let start = EventLoop.monotonicNanoseconds()
    try queue(1).gather(count: 3, weight: 1_000, nanoseconds: 5_000_000)
    #expect(EventLoop.monotonicNanoseconds() - start >= 5_000_000)
  }
}
