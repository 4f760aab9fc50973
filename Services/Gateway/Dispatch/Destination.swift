import EventLoop

/// Delivers what waits for one destination: a dispatcher for each partition of the journal, which is at work while the partition is
/// this gateway's.
final class Destination: Sendable {
  /// As in the journal.
  let name: String
  private let make: @Sendable (Int) -> Dispatcher
  private let current: Lock<[Dispatcher]>

  /// - Parameter make: a dispatcher for a partition; it is at work once at most.
  init(_ name: String, partitions: Range<Int>, make: @escaping @Sendable (Int) -> Dispatcher) {
    self.name = name
    self.make = make
    current = Lock(partitions.map(make))
  }

  /// By partition.
  var dispatchers: [Dispatcher] { current.withLock { $0 } }

  /// - Parameter partition: one that there is.
  subscript(partition: Int) -> Dispatcher { current.withLock { $0[partition] } }

  /// Delivers what is in a partition until the task is cancelled, and what is under way has ended. Who works on it again begins at
  /// the partition's beginning.
  func work(_ partition: Int) async {
    await self[partition].run()
    let next = make(partition)
    current.withLock { $0[partition] = next }
  }
}
