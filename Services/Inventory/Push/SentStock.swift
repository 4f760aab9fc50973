import Commerce
import ServiceKit

/// What became of rows that were sent.
struct SentStock: Sendable {
  var done: [PushedStock] = []
  /// Refused by the shop, each by itself.
  var failed: [(row: DueStock, reason: String)] = []
  /// Why nothing more was sent; nil when all of it was.
  private(set) var stopped: StoppedSending?
  /// Whether the shop has taken something in this round.
  var hasPassed = false
  /// Rows that the shop fails on by themselves, while it isn't known whether it fails on all.
  var suspects: [(pushed: PushedStock, error: CommerceError)] = []
  private var failures = 0

  init(failed: [(row: DueStock, reason: String)] = [], hasPassed: Bool = false) {
    self.failed = failed
    self.hasPassed = hasPassed
  }

  mutating func stop(_ error: any Error, _ rows: [PushedStock]) {
    stopped = StoppedSending(error: error, skus: rows.map(\.row.sku))
  }

  /// Counts a failure that may be of a row or of the shop.
  ///
  /// - Returns: false when it must be the shop; then it has stopped.
  mutating func mayGoOn(after error: CommerceError, _ rows: [PushedStock]) -> Bool {
    failures += 1
    if hasPassed || failures < StockSender.failureLimit { return true }
    stop(error, rows)
    return false
  }

  /// A shop that takes other rows fails because of these; one that takes none is broken, and says nothing of them.
  mutating func judgeSuspects() {
    defer { suspects = [] }
    guard let first = suspects.first else { return }
    if hasPassed {
      failed += suspects.map { ($0.pushed.row, "the shop fails whenever it is to save it: \($0.error)") }
    } else if stopped == nil {
      stopped = StoppedSending(error: first.error, skus: suspects.map(\.pushed.row.sku))
    }
  }
}

/// Why sending has ended before all was sent.
struct StoppedSending: Error, CustomStringConvertible {
  let error: any Error
  /// What was being sent.
  let skus: [String]

  /// Whether it may be because of one of the SKUs.
  var maySayNothingOfRow: Bool { (error as? CommerceError)?.maySayNothingOfRow ?? false }

  var description: String {
    guard let first = skus.first, let last = skus.last else { return "\(error)" }
    let named = "SKU \"\(quotable(first))\""
    if skus.count == 1 { return "\(named): \(error)" }
    return "\(skus.count) SKUs, from \(named) to \"\(quotable(last))\": \(error)"
  }
}
