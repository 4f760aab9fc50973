import Synchronization

/// Counters that one thread adds to and any thread reads: plain loads and stores, no lock, no shared cache line that is
/// written from two sides.
///
/// Sendable: the cells are atomics, and live as long as this does.
final class LoopCounters: @unchecked Sendable {
  private let cells: UnsafeMutablePointer<Atomic<UInt64>>
  let count: Int

  init(count: Int) {
    self.count = count
    cells = .allocate(capacity: count)
    for index in 0..<count { (cells + index).initialize(to: Atomic(0)) }
  }

  deinit {
    cells.deinitialize(count: count)
    cells.deallocate()
  }

  /// By the one thread whose counters these are.
  @inline(__always) func add(_ amount: UInt64, at index: Int) {
    assert(index < count)
    let sum = cells[index].load(ordering: .relaxed) &+ amount
    cells[index].store(sum, ordering: .relaxed)
  }

  subscript(index: Int) -> UInt64 { cells[index].load(ordering: .relaxed) }
}
