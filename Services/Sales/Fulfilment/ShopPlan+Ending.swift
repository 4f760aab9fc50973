import Commerce

/// How an order ends: magento-rules.md §3.
extension ShopPlan {
  /// Cancels what is neither invoiced nor shipped. The shop knows no cancellation of single lines: it waits for the end.
  func leftover(_ quantities: ItemQuantities) -> Step? {
    guard ledger.status.isTerminal || isAllCancelled else { return nil }
    guard shop.items.contains(where: { $0.toInvoice > 0 && isCounted($0) }), !shop.isOver else { return nil }
    if shop.isHeld { return obstacle(to: "cancel") }
    return .cancel
  }

  private var isAllCancelled: Bool {
    let articles = ledger.lines.filter(\.isArticle)
    return !articles.isEmpty && articles.allSatisfy { $0.isCancelled && !$0.hasShipped }
  }

  /// Whether an item is the side of its parent and children that is invoiced.
  private func isCounted(_ item: OrderInShop.Item) -> Bool {
    if item.productType == "bundle" { return shop.hasFixedPrice(item) }
    guard let parent = item.parentID.flatMap({ shop.item($0) }) else { return true }
    return parent.productType == "bundle" && !shop.hasFixedPrice(parent)
  }

  /// The end of an order may be told before its last parcel. What was said to have left is waited for; of what nothing was
  /// said, for a while.
  var lateParcel: Step? {
    guard ledger.status.isTerminal, !ledger.status.cancelsAll else { return nil }
    let open = ledger.openGoods
    let deadline = ledger.statusReceivedAt + FulfilmentLedger.parcelPatience
    guard let first = open.first else { return doubtfulRest(deadline) }
    let units = first.hasShipped ? "\(first.unshipped) of \(first.quantity) of " : ""
    let name = "\(units)line \(first.number) (\(first.sku))"
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

  /// Of a line with many units that is cancelled it is not said how many are: a parcel with others may have been overtaken, and could
  /// not be invoiced once the shop has cancelled them.
  private func doubtfulRest(_ deadline: Int64) -> Step? {
    let rest = ledger.lines.first { line in
      line.isArticle && line.kind != .virtual && line.quantity != 1 && !line.isMissing && line.cancelled > 0
    }
    guard now < deadline, let rest else { return nil }
    return .wait(
      nanoseconds: deadline - now,
      reason:
        "the OMS is through and has cancelled line \(rest.number) (\(rest.sku)), of which a parcel may still be told of"
    )
  }

  /// The shop has ended or held what the OMS still works on: its goods would leave unpaid, or not be booked.
  var changedInShop: Step? {
    guard !ledger.status.isTerminal, !isAllCancelled, ["canceled", "holded"].contains(shop.state), !shop.isReplaced
    else {
      return nil
    }
    return .stuck(
      "the shop has it \(shop.state), though the OMS owns the order and goes on with it; release it in the shop, or have the OMS "
        + "cancel it: omsctl orders cancel \(ledger.incrementID)")
  }
}
