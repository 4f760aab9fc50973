import Commerce

/// What is shipped: magento-rules.md §2.
extension ShopPlan {
  /// - Returns: nil when the shop has shipped that much.
  func ship(
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
}
