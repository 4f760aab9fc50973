import Synchronization

/// What a channel may spend on retries, shared by all its loops. See `RetryBudgetLimits`.
final class RetryBudget: Sendable {
  // In thousandths of a token, as A6 has three digits behind the point.
  private let tokens: Atomic<Int>
  private let full: Int
  private let refund: Int
  private static let one = 1000

  init(_ limits: RetryBudgetLimits) {
    full = min(max(limits.tokens, 1), 1000) * RetryBudget.one
    refund = min(max(Int(limits.tokensPerSuccess * Double(RetryBudget.one)), 1), full)
    tokens = Atomic(full)
  }

  /// Whether a call may be made again now.
  var allowsRetry: Bool { tokens.load(ordering: .relaxed) > full / 2 }

  func callFailed() { change { max($0 - RetryBudget.one, 0) } }

  @inline(__always) func callSucceeded() {
    // Nearly always: then it costs a load, and no loop takes the line from another one's cache.
    if tokens.load(ordering: .relaxed) == full { return }
    change { min($0 + refund, full) }
  }

  private func change(_ update: (Int) -> Int) {
    var held = tokens.load(ordering: .relaxed)
    while true {
      let (exchanged, original) = tokens.weakCompareExchange(
        expected: held, desired: update(held), ordering: .relaxed)
      if exchanged { return }
      held = original
    }
  }
}
