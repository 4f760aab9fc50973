import EventLoop

/// Waits for callers that have just had their answers.
///
/// They often come again at once. The first of them must not get a commit to itself while the others are on their way: with n
/// callers that would be two commits for n writes instead of one. So a commit waits until as many are there as were, for at most
/// half the time that a commit takes.
struct Gathering {
  /// 0: nobody is waited for.
  private var expected = 0
  private var deadline: UInt64 = 0

  /// Longer than this no caller waits for the others, however long commits take.
  private static let maximumNanoseconds: UInt64 = 2_000_000
  /// In how many parts those that are run as they come are waited for. What is run early is not waited for later, but each part
  /// wakes the thread.
  private static let parts = 4

  init() {}

  /// From now on, after a commit.
  ///
  /// - Parameters:
  ///   - callers: that were answered, or wait already.
  ///   - commitNanoseconds: what the commit took, without the waiting.
  init(callers: Int, commitNanoseconds: UInt64, options: DatabaseOptions) {
    if callers <= 1 { return }
    expected = min(callers, options.maximumBatchCount)
    deadline = EventLoop.monotonicNanoseconds() + min(commitNanoseconds / 2, Self.maximumNanoseconds)
  }

  /// Whether more are to come than `count`.
  func expects(moreThan count: Int) -> Bool { count < expected }

  /// Waits for all of them.
  func wait(_ queue: JobQueue, weight: Int) { wait(for: expected, queue, weight: weight) }

  /// Waits for the next part of those that are not in the batch yet.
  ///
  /// - Parameters:
  ///   - count: jobs in the batch.
  ///   - weight: that the batch has room for.
  func waitForPart(_ queue: JobQueue, after count: Int, weight: Int) {
    wait(for: min(expected - count, (expected + Self.parts - 1) / Self.parts), queue, weight: weight)
  }

  private func wait(for count: Int, _ queue: JobQueue, weight: Int) {
    let now = EventLoop.monotonicNanoseconds()
    if count > 0, now < deadline { queue.gather(count: count, weight: weight, nanoseconds: deadline - now) }
  }
}
