import Commerce

/// How many units the lines of a return are.
///
/// The OMS's returns have no quantities: an entry is one unit (connector.md §2.2), as are most lines of an order. A line that was
/// not taken apart into units – more than 100 of them, or a decimal quantity: magento-rules.md §6, "Units" – is one line at the OMS,
/// and as one it leaves, is cancelled and comes back: an entry is all of it, unless the message says a quantity or names the line
/// several times, a unit each.
struct ReturnedUnits {
  let record: ReturnRecord
  let order: KnownOrder

  func quantity(of entry: ReturnRecord.Line) -> Decimal {
    let whole = order.line(entry.number)?.quantity ?? 1
    if let said = entry.quantity { return min(said, whole) }
    return record.lines.filter { $0.number == entry.number }.count > 1 ? min(1, whole) : whole
  }

  /// By line number, never more than the line has.
  var byLine: [Int: Decimal] {
    record.lines.reduce(into: [:]) { sums, entry in
      let sum = sums[entry.number, default: 0] + quantity(of: entry)
      sums[entry.number] = order.line(entry.number).map { min(sum, $0.quantity) } ?? sum
    }
  }

  /// By the shop's order item.
  var byItem: [Int64: Decimal] {
    byLine.reduce(into: [:]) { items, line in
      let entry = record.lines.first { $0.number == line.key }
      let item = order.line(line.key)?.itemID ?? entry?.itemID ?? 0
      if item != 0 { items[item, default: 0] += line.value }
    }
  }
}
