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
      for index in ledger.lines.indices where ledger.lines[index].isOpenGoods { ledger.lines[index].isCancelled = true }
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

  /// How what the connector makes is told from what people make.
  enum Marker {
    static func invoice(_ key: String) -> String {
      key == rest ? "OMS: what was left to invoice" : "OMS: invoice for shipment request \(key)"
    }
    static func shipment(_ key: String) -> String { "OMS: shipment request \(key)" }
    /// Of all of ours, credit memos of the post-sales service included.
    static let prefix = "OMS"
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
    return restInvoice(quantities) ?? leftover(quantities) ?? changedInShop ?? .done
  }

  /// The shop has ended or held what the OMS still works on: its goods would leave unpaid, or not be booked.
  private var changedInShop: Step? {
    guard !ledger.status.isTerminal, !isAllCancelled, ["canceled", "holded"].contains(shop.state), !shop.isReplaced
    else {
      return nil
    }
    return .stuck(
      "the shop has it \(shop.state), though the OMS owns the order and goes on with it; release it in the shop, or have the OMS "
        + "cancel it: omsctl orders cancel \(ledger.incrementID)")
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

  /// Otherwise there is one capture for all, at the last parcel (magento-rules.md §6, "Multi-capture").
  private var invoicesPerParcel: Bool { ledger.payment.model != .offline || ledger.payment.capturesInParts }

  private var isAuthorizationEnding: Bool { authorizationEnds.map { now >= $0 } ?? false }

  private var authorizationEnds: Int64? {
    guard ledger.payment.model == .offline, let days = ledger.payment.authorizationDays else { return nil }
    return ledger.createdAt + Int64(days) * 24 * 3600 * 1_000_000_000 - Self.authorizationMargin
  }

  /// - Returns: nil when the shop has invoiced that much.
  private func invoice(_ due: [Int64: Decimal], key: String, _ quantities: ItemQuantities) -> Step? {
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
      return all > 0 ? priced.map(\.gross).sum() * count / all : 0
    }.sum()
    if shop.invoices.isEmpty { sum += ledger.lines.filter { $0.itemID == nil }.map(\.gross).sum() }
    return sum.rounded(4)
  }

  /// More may become due for what was invoiced already, such as a bundle whose last part was cancelled meanwhile: each invoice
  /// has a mark of its own.
  private func freeKey(_ key: String) -> String {
    func isFree(_ key: String) -> Bool { !shop.invoices.contains { $0.isMarked(Marker.invoice(key)) } }
    return isFree(key) ? key : (2...shop.invoices.count + 2).map { "\(key), part \($0)" }.first(where: isFree) ?? key
  }

  /// - Returns: nil when the shop has shipped that much.
  private func ship(
    _ shipment: FulfilmentLedger.Shipment, _ through: Set<String>, _ quantities: ItemQuantities
  ) -> Step? {
    var missing: [Int64: Decimal] = [:]
    for (id, units) in quantities.shipped(by: through) {
      guard let item = shop.item(id), units > item.shipped else { continue }
      missing[id] = units - item.shipped
    }
    if missing.isEmpty { return nil }
    if shop.state == "canceled" || shop.isHeld, let obstacle = obstacle(to: "ship") { return obstacle }
    // Magento cuts quantities down to what it thinks is left, without a word (magento-rules.md §2).
    if let made = shop.shipments.first(where: { $0.isMarked(Marker.shipment(shipment.key)) }) {
      return .stuck("shipment \(made.incrementID) of the shop is not all that has left: \(list(missing)) are missing")
    }
    return .ship(
      Ship(key: shipment.key, quantities: missing, tracks: earlierTracks(before: shipment) + shipment.tracks))
  }

  /// Parts of a bundle may leave in parcels that the shop makes no shipment of, as it ships the bundle once all have left: so that
  /// the customer can follow each, their tracks come with that one.
  private func earlierTracks(before shipment: FulfilmentLedger.Shipment) -> [FulfilmentLedger.Track] {
    let known = Set(shop.shipments.flatMap(\.tracks))
    return ledger.shipments.prefix { $0.key != shipment.key }.flatMap(\.tracks).filter { !known.contains($0.number) }
  }

  private func list(_ units: [Int64: Decimal]) -> String {
    units.sorted { $0.key < $1.key }.map { "\($0.value) × \(shop.item($0.key)?.sku ?? "item \($0.key)")" }
      .joined(separator: ", ")
  }

  /// Why the shop would refuse it now; nil when it would not.
  private func obstacle(to what: String) -> Step? {
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

  /// What no parcel has invoiced, once nothing is left to ship: the single capture, or what is virtual.
  private func restInvoice(_ quantities: ItemQuantities) -> Step? {
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

  /// Cancels what is neither invoiced nor shipped. The shop knows no cancellation of single lines: it waits for the end.
  private func leftover(_ quantities: ItemQuantities) -> Step? {
    guard ledger.status.isTerminal || isAllCancelled else { return nil }
    guard shop.items.contains(where: { $0.toInvoice > 0 && isCounted($0) }), !shop.isOver else { return nil }
    if shop.isHeld { return obstacle(to: "cancel") }
    return .cancel
  }

  private var isAllCancelled: Bool {
    ledger.lines.contains { $0.isArticle } && ledger.lines.allSatisfy { !$0.isArticle || $0.isCancelled }
  }

  /// Whether an item is the side of its parent and children that is invoiced.
  private func isCounted(_ item: OrderInShop.Item) -> Bool {
    if item.productType == "bundle" { return shop.hasFixedPrice(item) }
    guard let parent = item.parentID.flatMap({ shop.item($0) }) else { return true }
    return parent.productType == "bundle" && !shop.hasFixedPrice(parent)
  }

  /// The end of an order may be told before its last parcel. What was said to have left is waited for; of what nothing was
  /// said, for a while.
  private var lateParcel: Step? {
    guard ledger.status.isTerminal, !ledger.status.cancelsAll else { return nil }
    let open = ledger.openGoods
    guard let first = open.first else { return nil }
    let deadline = ledger.statusReceivedAt + FulfilmentLedger.parcelPatience
    let name = "line \(first.number) (\(first.sku))"
    if now < deadline {
      return .wait(
        nanoseconds: deadline - now, reason: "the OMS is through, but \(name) has neither left nor been cancelled")
    }
    if ledger.status.shipsAll || open.contains(where: \.isSaidShipped) {
      return .stuck(
        "the OMS says \(ledger.status.text), but no parcel with \(name) was told of; "
          + "have it sent again, or ship and invoice it in the shop, then omsctl orders resume \(ledger.incrementID)")
    }
    return nil
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
