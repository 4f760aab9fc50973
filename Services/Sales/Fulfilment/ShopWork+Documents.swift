import Commerce
import Storage

/// What the shop is asked to make.
extension ShopWork {
  func invoice(
    _ step: ShopPlan.Invoice, _ ledger: FulfilmentLedger, _ shop: OrderInShop
  ) async throws -> Progress {
    try await begin(.invoice, marker: step.marker, captures: step.capture, amount: step.amount, ledger, shop)
    return try await made(ledger, captures: step.capture) {
      _ = try await link.invoice(ledger.entityID, step)
    }
  }

  /// Every shop with multi-source inventory has a source of that code, and a shop that needs no other names none.
  static let defaultSource = "default"

  func ship(_ step: ShopPlan.Ship, _ ledger: FulfilmentLedger, _ shop: OrderInShop) async throws -> Progress {
    let source = try await options.usesSources() ? source(of: ledger.website) : nil
    let notifies = notifies(of: step, ledger)
    try await begin(.shipment, marker: step.marker, captures: false, ledger, shop)
    return try await made(ledger, captures: false) {
      _ = try await link.ship(ledger.entityID, step, source: source, notify: notifies)
    }
  }

  /// Magento's mails: switches per store; never on replay (magento-rules.md §6, "E-mail").
  private func notifies(of step: ShopPlan.Ship, _ ledger: FulfilmentLedger) -> Bool {
    options.notifiesOfShipments && !options.silentChannels.contains(ledger.channel)
      && !ledger.shipments.contains { $0.key == step.key && $0.isSilent }
  }

  /// That of the website's stock, to which the inventory service writes what the OMS has (magento-rules.md §2).
  private func source(of website: String) -> String {
    let sources = mapping.aggregates.values.filter { $0.website == website }.map { $0.source ?? Self.defaultSource }
    return sources.min() ?? Self.defaultSource
  }

  func cancel(_ ledger: FulfilmentLedger, _ shop: OrderInShop) async throws -> Progress {
    try await begin(.cancellation, marker: "", captures: false, ledger, shop)
    return try await made(ledger, captures: false) {
      if try await !link.cancel(ledger.entityID) {
        throw CommerceError(
          .refused, status: 200, request: "POST V1/orders/\(ledger.entityID)/cancel",
          "the shop can't cancel what is left of the order now")
      }
    }
  }

  private func begin(
    _ kind: BegunStep.Kind, marker: String, captures: Bool, amount: Decimal = 0, _ ledger: FulfilmentLedger,
    _ shop: OrderInShop
  ) async throws {
    let (store, id) = (store, ledger.incrementID)
    let step = BegunStep(
      kind: kind, marker: marker, captures: captures, knownCaptures: shop.captures.count, totalPaid: shop.totalPaid,
      amount: amount, begunAt: WallClock.nanoseconds())
    try await write(id) { try store.begin($0, of: id, step) }
  }

  /// Asks the shop. What it answers decides only whether to look at once: the next step reads what has become of it.
  private func made(
    _ ledger: FulfilmentLedger, captures: Bool, _ ask: () async throws -> Void
  ) async throws -> Progress {
    do {
      try await ask()
      return .goOn
    } catch let error as CommerceError {
      if error.mayHaveHadEffect {
        return .end(.unsettled(after: options.grace, reason: "\(error); it may have been done all the same"))
      }
      if captures, error.kind == .refused {
        // "Could not save an invoice" can come after the gateway has captured: magento-rules.md §4.
        let shop = try await link.read(ledger.entityID)
        if let begun = try await begunStep(ledger.incrementID) {
          if isThere(begun, shop) { return .goOn }
          if !Self.isFinal(error) { return try await undecided(begun, ledger, shop, "\(error)") }
        }
      }
      try await end(ledger.incrementID)
      // The shop's source is filled by the stock that is pushed, which may come a moment later.
      if error.message.contains("products are available") {
        try await attend(ledger.incrementID, "\(error)")
        throw error
      }
      if !captures, error.status == 400, !Self.isFinal(error) { throw PassingRefusal(error: error) }
      if error.kind == .refused || error.kind == .notFound { return try await stuck(ledger.incrementID, "\(error)") }
      throw error
    }
  }

  /// A refusal that may pass, of a write that has had no effect beyond the shop.
  struct PassingRefusal: Error {
    let error: CommerceError
  }

  /// What Magento says of a document that it does not make, before it asks the payment gateway. All else, also in another language,
  /// may have come after, and may pass.
  private static func isFinal(_ error: CommerceError) -> Bool {
    ["Document Validation Error", "invalid quantity to invoice", "without products"].contains {
      error.message.contains($0)
    }
  }
}
