/// The store against the rule, and its history against itself.
struct StoredComparison {
  let rule: StockRule
  let stored: StoredAggregate

  var differences: [String] { values + changes + order + waiting }

  private var values: [String] {
    Set(rule.stock.keys).union(stored.stock.keys).sorted().compactMap { sku in
      let (actual, expected) = (stored.stock[sku], rule.stock[sku])
      if actual == expected { return nil }
      return "\(sku) is \(actual.map { "\($0)" } ?? "unknown"), by the rule \(expected.map { "\($0)" } ?? "unknown")"
    }
  }

  private var changes: [String] {
    let expected = Dictionary(grouping: rule.history, by: \.sku)
    return Set(expected.keys).union(stored.history.keys).sorted().compactMap { sku in
      let (actual, expected) = (stored.history[sku] ?? [], expected[sku] ?? [])
      if actual == expected { return nil }
      return "\(sku) has the history\n\(Self.lines(actual))\n    by the rule\n\(Self.lines(expected))"
    }
  }

  /// Without the rule: no row says nothing, each begins where the one before it ended, and time never goes back but for an
  /// operator's reset.
  private var order: [String] {
    var found: [String] = []
    for (sku, changes) in stored.history.sorted(by: { $0.key < $1.key }) {
      let mayGoBack = rule.reset.contains(sku)
      var last: StockRule.Value?
      for change in changes {
        if change.old.hasQuantity(of: change.new) { found.append("\(sku) has a change that is none: \(change)") }
        if let last, !last.hasQuantity(of: change.old) { found.append("\(sku) changes unseen before \(change)") }
        let goesBack = change.new.time < change.old.time || change.old.time < last?.time ?? 0
        if goesBack, !mayGoBack { found.append("\(sku) goes back in time: \(change)") }
        last = change.new
      }
      guard let last, let stock = stored.stock[sku] else { continue }
      if !last.hasQuantity(of: stock) { found.append("\(sku) is \(stock), which its history doesn't say") }
      if stock.time < last.time, !mayGoBack { found.append("\(sku) is \(stock), older than its history") }
    }
    return found
  }

  private var waiting: [String] {
    let expected = rule.waiting.map(\.stored)
    return stored.waiting == expected ? [] : ["has waiting \(stored.waiting), by the rule \(expected)"]
  }

  static func lines(_ changes: [StockRule.Change]) -> String {
    changes.isEmpty ? "      nothing" : changes.map { "      \($0)" }.joined(separator: "\n")
  }
}

extension StockRule.Value: CustomStringConvertible {
  func hasQuantity(of other: Self) -> Bool { quantity == other.quantity && unlimited == other.unlimited }

  var description: String {
    let seconds = time == 0 ? "reset" : "\(Double(time - SimulatedTime.origin) / 1e9) s"
    return "\(quantity)\(unlimited ? "!" : "") of \(seconds)"
  }
}

extension StockRule.Change: CustomStringConvertible {
  var description: String { "\(sku): \(old) → \(new) by \(mode.rawValue)\(zeroed ? ", left out" : "")" }
}
