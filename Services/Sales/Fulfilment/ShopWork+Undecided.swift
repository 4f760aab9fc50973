import Commerce
import Storage

/// Steps of which it is not known how they ended.
extension ShopWork {
  func begunStep(_ id: String) async throws -> BegunStep? {
    let store = store
    return try await store.database.read { try store.begunStep($0, of: id) }
  }

  /// What became of a step whose end is not noted.
  func resolve(_ begun: BegunStep, _ ledger: FulfilmentLedger, _ shop: OrderInShop) async throws -> Progress {
    if isThere(begun, shop) {
      // Nothing goes on while it is not known whether the money has come.
      if let problem = begun.captures ? captureProblem(begun, shop) : nil {
        return try await leave(ledger.incrementID, problem)
      }
      try await end(ledger.incrementID)
      return .goOn
    }
    let age = Duration.nanoseconds(max(0, WallClock.nanoseconds() - begun.begunAt))
    if age < options.grace {
      return .end(
        .unsettled(after: options.grace - age, reason: "waits whether the shop has done a \(begun.kind.rawValue)"))
    }
    if begun.captures { return try await undecided(begun, ledger, shop, "its answer was lost") }
    try await end(ledger.incrementID)
    return .goOn
  }

  func isThere(_ begun: BegunStep, _ shop: OrderInShop) -> Bool {
    switch begun.kind {
    case .invoice: shop.invoices.contains { $0.isMarked(begun.marker) }
    case .shipment: shop.shipments.contains { $0.isMarked(begun.marker) }
    case .cancellation: shop.isOver || shop.items.contains { $0.cancelled > 0 }
    }
  }

  /// An invoice can end paid without money: with a closed authorisation, or one that was only authorised (magento-rules.md §1).
  private func captureProblem(_ begun: BegunStep, _ shop: OrderInShop) -> String? {
    guard let invoice = shop.invoices.first(where: { $0.isMarked(begun.marker) }) else { return nil }
    if invoice.state != 2 {
      return "invoice \(invoice.incrementID) was to capture \(invoice.grandTotal) and is not paid"
    }
    if invoice.grandTotal.isZero { return nil }
    if shop.captures.count <= begun.knownCaptures {
      return "invoice \(invoice.incrementID) over \(invoice.grandTotal) is paid in the shop, "
        + "but no capture of its payment gateway is known there; look there whether the money has come"
    }
    let paid = shop.totalPaid - begun.totalPaid
    if paid != invoice.grandTotal {
      return "invoice \(invoice.incrementID) is over \(invoice.grandTotal), but the order's total_paid grew by \(paid)"
    }
    return nil
  }

  /// Money may have been taken or not: nothing is tried again before somebody has looked at the payment gateway.
  func undecided(
    _ begun: BegunStep, _ ledger: FulfilmentLedger, _ shop: OrderInShop, _ why: String
  ) async throws -> Progress {
    try await leave(
      ledger.incrementID,
      "it is not known whether \(begun.amount) were captured: \(why). The shop has no invoice for it, \(shop.captures.count) captures "
        + "(\(begun.knownCaptures) before) and total_paid \(shop.totalPaid) (\(begun.totalPaid) before). Look at the payment "
        + "gateway; if it has captured, invoice the order in the shop without capture; then omsctl orders resume "
        + ledger.incrementID)
  }

  /// The step stays until somebody resumes the order.
  private func leave(_ id: String, _ reason: String) async throws -> Progress {
    let store = store
    try await write(id) { try store.leaveStep($0, of: id) }
    return try await stuck(id, reason)
  }
}
