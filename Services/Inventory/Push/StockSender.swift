import Commerce
import Messages

/// A row with what the shop is told.
struct PushedStock: Sendable, Equatable {
  let row: DueStock
  let quantity: Decimal
  /// Whether the product's stock is to be counted; nil when that stays as it is.
  var isManaged: Bool?

  var isInStock: Bool { quantity > .zero || row.unlimited }
}

/// What became of rows that were sent.
struct SentStock: Sendable {
  var done: [PushedStock] = []
  /// Refused by the shop, each by itself.
  var failed: [(row: DueStock, reason: String)] = []
  /// Why nothing more was sent; nil when all of it was.
  var stopped: (any Error)?
}

/// Sends rows of one partition to the shop, with one request at a time.
struct StockSender: Sendable {
  let client: CommerceClient
  let limits: PushLimits

  func send(_ rows: [PushedStock], _ route: PushRoute) async -> SentStock {
    var sent = SentStock()
    switch route {
    case .source(let code, _):
      var rest = rows[...]
      while sent.stopped == nil, !rest.isEmpty {
        let part = rest.prefix(limits.rows)
        await sendSources(Array(part), code, &sent)
        rest = rest.dropFirst(part.count)
      }
    case .stockItem:
      for row in rows where sent.stopped == nil { await sendItem(row, &sent) }
    }
    return sent
  }

  // MARK: With sources

  /// One row that the shop doesn't take fails all of them (magento-rules.md §4): then halves are sent, until it is alone. That takes
  /// at most twice as many requests as there are rows.
  private func sendSources(_ rows: [PushedStock], _ code: String, _ sent: inout SentStock) async {
    if rows.isEmpty || sent.stopped != nil { return }
    do {
      _ = try await client.sendJSON("POST", "V1/inventory/source-items", SourceItems.body(rows, code))
      await setManaged(rows, &sent)
    } catch let error as CommerceError where limits.lower(after: error, from: rows.count) {
      var rest = rows[...]
      while !rest.isEmpty, sent.stopped == nil {
        let part = rest.prefix(limits.rows)
        await sendSources(Array(part), code, &sent)
        rest = rest.dropFirst(part.count)
      }
    } catch let error as CommerceError where error.kind == .refused {
      if rows.count == 1 {
        // "Could not save" may pass, and tells nothing of the row.
        if error.message.hasPrefix("Could not save") { sent.stopped = error }
        sent.failed += sent.stopped == nil ? [(rows[0].row, error.message)] : []
        return
      }
      await sendSources(Array(rows[..<(rows.count / 2)]), code, &sent)
      await sendSources(Array(rows[(rows.count / 2)...]), code, &sent)
    } catch let error as CommerceError where error.mayHaveHadEffect {
      // What the shop shows as it was meant needs no second request; the rest is sent again, later.
      let kept = (try? await SourceItems.shown(rows, code, client)) ?? []
      await setManaged(rows.filter { kept.contains($0.row.sku) }, &sent)
      sent.stopped = error
    } catch {
      sent.stopped = error
    }
  }

  /// Whether stock is counted is a matter of the product, not of a source.
  private func setManaged(_ rows: [PushedStock], _ sent: inout SentStock) async {
    for row in rows {
      guard let isManaged = row.isManaged else {
        sent.done.append(row)
        continue
      }
      if sent.stopped != nil { continue }
      var update = Magento.Commerce.V1.StockItemUpdate()
      update.setManaged(isManaged)
      await put(row, update, &sent)
    }
  }

  // MARK: Without

  private func sendItem(_ row: PushedStock, _ sent: inout SentStock) async {
    var update = Magento.Commerce.V1.StockItemUpdate(qty: row.quantity.message, isInStock: row.isInStock)
    if let isManaged = row.isManaged { update.setManaged(isManaged) }
    await put(row, update, &sent)
  }

  private func put(_ row: PushedStock, _ update: Magento.Commerce.V1.StockItemUpdate, _ sent: inout SentStock) async {
    // The shop finds the item by the product; the number in the path means nothing to it.
    let route = "V1/products/\(CommerceClient.path(row.row.sku))/stockItems/1"
    do {
      _ = try await client.sendJSON("PUT", route, Magento.Commerce.V1.StockItemBody(stockItem: update))
      sent.done.append(row)
    } catch let error as CommerceError where error.kind == .notFound {
      sent.failed.append((row.row, "the shop has no product with this SKU: \(error.message)"))
    } catch let error as CommerceError
      where error.kind == .refused && !error.message.hasPrefix("Could not save")
    {
      sent.failed.append((row.row, error.message))
    } catch {
      sent.stopped = error
    }
  }
}

extension Magento.Commerce.V1.StockItemUpdate {
  fileprivate mutating func setManaged(_ isManaged: Bool) {
    // Managed as the shop's configuration says, as before.
    useConfigManageStock = isManaged
    if !isManaged { manageStock = false }
  }
}
