import Commerce

/// What is to be done next in the shop so that it follows the OMS: one step at a time, each decided anew from what the ledger and
/// the shop say now. A step that was done and not noted is seen in the shop, and not done again.
///
/// The order of steps (magento-rules.md §3): for each parcel invoice, then ship; then what is left to be invoiced; then one
/// cancellation of what is left over, once the OMS is through with the order and all that it shipped is shipped in the shop;
/// and what is to be said, with the status, last, because invoices reset the status.
struct ShopPlan {
  let ledger: FulfilmentLedger
  let shop: OrderInShop
  /// Nanoseconds since 1970.
  let now: Int64
  /// Order statuses that the shop does not take.
  var refusedStatuses: Set<String> = []

  /// - Parameter ledger: of an order that the OMS is through with for long enough, what neither left nor was cancelled is taken as
  ///   cancelled.
  init(ledger: FulfilmentLedger, shop: OrderInShop, now: Int64) {
    var ledger = ledger
    if ledger.isOverdue(now: now), !ledger.status.shipsAll, !ledger.openGoods.contains(where: \.isSaidShipped) {
      for index in ledger.lines.indices where ledger.lines[index].isOpenGoods {
        (ledger.lines[index].isCancelled, ledger.lines[index].isMissing) = (true, true)
      }
    }
    self.ledger = ledger
    self.shop = shop
    self.now = now
  }

  enum Step: Equatable, Sendable {
    case invoice(Invoice)
    case ship(Ship)
    /// The shop has all of a parcel: its invoice and its shipment, where they can be told.
    case finish(shipment: String, invoiceID: Int64?, shipmentID: Int64?)
    case cancel
    /// A comment of the ledger, and the status that goes with it.
    case comment(FulfilmentLedger.Comment?, status: String?)
    case wait(nanoseconds: Int64, reason: String)
    /// Somebody has to look at it.
    case stuck(String)
    case done
  }

  struct Invoice: Equatable, Sendable {
    /// What it is for: a parcel's key, or ``ShopPlan/rest``.
    let key: String
    let quantities: [Int64: Decimal]
    /// Whether the shop is to get the money.
    let capture: Bool
    /// What it comes to by the lines' prices, in the order's currency.
    let amount: Decimal

    var marker: String { Marker.invoice(key) }
  }

  struct Ship: Equatable, Sendable {
    let key: String
    let quantities: [Int64: Decimal]
    let tracks: [FulfilmentLedger.Track]

    var marker: String { Marker.shipment(key) }
  }

  /// The key of the invoice of what no parcel has invoiced.
  static let rest = "rest"
  /// Held orders and payments under review are looked at again after that.
  static let heldPatience: Int64 = 5 * 60 * 1_000_000_000
  /// What would be captured too late is captured a day before.
  static let authorizationMargin: Int64 = 24 * 3600 * 1_000_000_000

  var next: Step {
    let step = fulfilment
    switch step {
    case .invoice, .ship, .finish, .cancel: return step
    case .wait, .stuck, .done, .comment: return saying ?? step
    }
  }

  // MARK: Documents

  private var fulfilment: Step {
    guard ledger.isWithOMS else { return .done }
    let quantities = ItemQuantities(ledger: ledger, shop: shop)
    var through: Set<String> = []
    for shipment in ledger.shipments {
      through.insert(shipment.key)
      if shipment.isDone { continue }
      return parcel(shipment, through, quantities)
    }
    if let late = lateParcel { return late }
    return restInvoice(quantities) ?? unaccountedBundle(quantities) ?? leftover(quantities) ?? tornBundle(quantities)
      ?? changedInShop ?? .done
  }

  private func parcel(
    _ shipment: FulfilmentLedger.Shipment, _ through: Set<String>, _ quantities: ItemQuantities
  ) -> Step {
    if invoicesPerParcel {
      let due = quantities.invoiced(through: through, withVirtual: ledger.givesOutVirtual)
      if let step = invoice(due, key: shipment.key, quantities) { return step }
    } else if isAuthorizationEnding {
      if let step = invoice(quantities.invoiceableLive(), key: shipment.key, quantities) { return step }
    }
    if let step = ship(shipment, through, quantities) { return step }
    return .finish(
      shipment: shipment.key,
      invoiceID: shop.invoices.first { $0.isMarked(Marker.invoice(shipment.key)) }?.entityID,
      shipmentID: shop.shipments.first { $0.isMarked(Marker.shipment(shipment.key)) }?.entityID)
  }

  func list(_ units: [Int64: Decimal]) -> String {
    units.sorted { $0.key < $1.key }.map { "\($0.value) × \(shop.item($0.key)?.sku ?? "item \($0.key)")" }
      .joined(separator: ", ")
  }

  /// Why the shop would refuse it now; nil when it would not.
  func obstacle(to what: String) -> Step? {
    switch shop.state {
    case "payment_review":
      .wait(nanoseconds: Self.heldPatience, reason: "the shop reviews the payment; it can \(what) after that")
    case "holded", "canceled", "closed":
      .stuck(
        "the OMS has parcels of the order, but in the shop its state is \(shop.state), in which it can't \(what); "
          + "release it there, then omsctl orders resume \(ledger.incrementID)")
    default: nil
    }
  }

  // MARK: What is said

  private var saying: Step? {
    let wanted = ledger.status.shopStatus(hasShipped: ledger.hasShipped)
    let status = wanted.flatMap {
      ["new", "processing"].contains(shop.state) && shop.status != $0 && !refusedStatuses.contains($0) ? $0 : nil
    }
    if let comment = ledger.comments.first { return .comment(comment, status: status) }
    return status.map { .comment(nil, status: $0) }
  }
}
