import Commerce

/// What is invoiced, and captured: magento-rules.md §1.
extension ShopPlan {
  /// Otherwise there is one capture for all, at the last parcel (magento-rules.md §6, "Multi-capture").
  var invoicesPerParcel: Bool { ledger.payment.model != .offline || ledger.payment.capturesInParts }

  var isAuthorizationEnding: Bool { authorizationEnds.map { now >= $0 } ?? false }

  private var authorizationEnds: Int64? {
    guard ledger.payment.model == .offline, let days = ledger.payment.authorizationDays else { return nil }
    return ledger.createdAt + Int64(days) * 24 * 3600 * 1_000_000_000 - Self.authorizationMargin
  }

  /// - Returns: nil when the shop has invoiced that much.
  func invoice(_ due: [Int64: Decimal], key: String, _ quantities: ItemQuantities) -> Step? {
    var missing: [Int64: Decimal] = [:]
    for (id, units) in due {
      guard let item = shop.item(id), units > item.invoiced else { continue }
      let lacking = units - item.invoiced
      guard lacking <= item.toInvoice else {
        return .stuck(
          "the OMS has shipped \(units) of \(item.sku), but the shop can invoice \(item.toInvoice) more: "
            + "\(item.ordered) ordered, \(item.invoiced) invoiced, \(item.cancelled) cancelled there")
      }
      missing[id] = lacking
    }
    if missing.isEmpty { return nil }
    if let obstacle = obstacle(to: "invoice") { return obstacle }
    return .invoice(
      Invoice(
        key: freeKey(key), quantities: missing, capture: ledger.payment.model == .offline,
        amount: amount(of: missing)))
  }

  /// As the OMS knows the prices; shipping and services are on the first invoice (magento-rules.md §1).
  private func amount(of units: [Int64: Decimal]) -> Decimal {
    var sum = units.map { id, count -> Decimal in
      let own = ledger.lines.filter { $0.itemID == id }
      // A bundle with a price of its own has it in its parts at the OMS.
      let priced = ledger.lines.filter { line in own.contains { $0.kind == .bundle && $0.number == line.parent } } + own
      let all = own.map(\.quantity).sum()
      let gross = priced.map(\.gross).sum()
      return count < all ? gross.scaled(by: count, over: all) ?? gross : gross
    }.sum()
    if shop.invoices.isEmpty { sum += ledger.lines.filter { $0.itemID == nil }.map(\.gross).sum() }
    return sum.rounded(4)
  }

  /// More may become due for what was invoiced already, such as a bundle whose last part was cancelled meanwhile: each invoice
  /// has a mark of its own.
  private func freeKey(_ key: String) -> String {
    func isFree(_ key: String) -> Bool { !shop.invoices.contains { $0.isMarked(Marker.invoice(key)) } }
    if isFree(key) { return key }
    return (2...shop.invoices.count + 2).map { Marker.part($0, of: key) }.first(where: isFree) ?? key
  }

  /// What no parcel has invoiced, once nothing is left to ship: the single capture, or what is virtual.
  func restInvoice(_ quantities: ItemQuantities) -> Step? {
    guard ledger.nothingIsLeftToShip || (ledger.hasShipped && isAuthorizationEnding) else {
      guard ledger.hasShipped, let end = authorizationEnds, !isInvoicedThrough(quantities) else { return nil }
      return .wait(
        nanoseconds: max(end - now, 0),
        reason: "the money is captured with the last parcel, or before the authorisation ends")
    }
    let all = Set(ledger.shipments.map(\.key))
    let due =
      isAuthorizationEnding && !ledger.nothingIsLeftToShip
      ? quantities.invoiceableLive() : quantities.invoiced(through: all, withVirtual: ledger.givesOutVirtual)
    return invoice(due, key: Self.rest, quantities)
  }

  private func isInvoicedThrough(_ quantities: ItemQuantities) -> Bool {
    quantities.invoiceableLive().allSatisfy { id, units in shop.item(id).map { $0.invoiced >= units } ?? true }
  }
}
