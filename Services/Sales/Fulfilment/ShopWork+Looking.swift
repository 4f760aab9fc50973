import ServiceKit
import Storage

/// What was made in the shop, by whom, and what it means for open units.
extension ShopWork {
  /// Notes what was made in the shop, tells of what people made though the OMS owns the order, and which units are open no more.
  func look(at shop: OrderInShop, _ ledger: FulfilmentLedger) async throws {
    let (store, id) = (store, ledger.incrementID)
    let all =
      shop.invoices.map { ("invoice", $0) } + shop.shipments.map { ("shipment", $0) }
      + shop.creditMemos.map { ("creditmemo", $0) }
    let seen = try await store.database.read { connection in
      (try store.documents(connection, of: id), try store.lines(connection, of: id), try store.order(connection, id))
    }
    let known = Set(seen.0.map { "\($0.kind) \($0.entityID)" })
    let news = all.filter { !known.contains("\($0.0) \($0.1.entityID)") }
    let closed = OpenLines.closed(seen.1, in: shop)
    if news.isEmpty, closed.isEmpty { return }
    let sentAt = seen.2?.sentAt ?? 0
    var marks = Set(seen.0.map { "\($0.kind) \($0.purpose)" })
    let documents = news.map { kind, document in
      // The shop's times have whole seconds: what was paid at checkout may have been so in the second of the export.
      let (made, sent) = (document.createdAt / 1_000_000_000, sentAt / 1_000_000_000)
      let isEarlier = made < sent || (made == sent && kind == "invoice" && ledger.payment.model == .offlineCaptured)
      let mark = ShopPlan.Marker.mark(of: kind, in: document.comments, keys: ledger.shipments.map(\.key))
      // A refund may take several memos, all else one document.
      let own = mark.flatMap { marks.insert("\(kind) \($0)").inserted || kind == "creditmemo" ? $0 : nil }
      return NotedDocument(
        kind: kind, entityID: document.entityID, purpose: own ?? (isEarlier ? NotedDocument.acknowledged : ""))
    }
    let numbers = Set(closed.map(\.number))
    let moved = Set(seen.1.filter { numbers.contains($0.number) && $0.kind.isCounted }.map(\.sku))
    try await write(id) { connection in
      let now = WallClock.nanoseconds()
      for document in documents { try store.note(connection, of: id, document, now: now) }
      try store.closeLines(connection, of: id, closed, now: now)
      if !moved.isEmpty { try StockPushRequest.queue.add(connection, id) }
    }
    for warning in documents.compactMap(\.warning) {
      Log.warning("the shop changed an order by itself", ["order": "\(id)", "what": "\(warning)"])
    }
    if !moved.isEmpty { stockMoved() }
  }
}
