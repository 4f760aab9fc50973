import Commerce
import Messages
import ServiceKit

/// A row with what the shop is told.
struct PushedStock: Sendable, Equatable {
  let row: DueStock
  let quantity: Decimal
  /// Whether the product's stock is to be counted; nil when that stays as it is.
  var isManaged: Bool?

  var isInStock: Bool { quantity > .zero || row.unlimited }
}

/// Sends rows of one partition to the shop, with one request at a time.
struct StockSender: Sendable {
  let client: CommerceClient
  let limits: PushLimits
  /// Whether rows are looked for on which the shop fails, though it doesn't say that it is because of them: an observer of another
  /// module may throw for one product each time it is saved. Rows say how much there is, not what changes: sent again in parts,
  /// they do no harm. Otherwise the first such failure ends the sending.
  var singlesOut = false
  /// Whether something got through in the same round, before.
  var hasPassed = false

  /// While nothing has got through, so many failures end the looking: the shop itself is broken, then.
  static let failureLimit = 32

  func send(_ rows: [PushedStock], _ route: PushRoute) async -> SentStock {
    var sent = SentStock(hasPassed: hasPassed)
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
    await sendSuspects(route, &sent)
    sent.judgeSuspects()
    return sent
  }

  /// Once more: a shop that only was busy, with a deadlock or a restart of its database, takes them then.
  private func sendSuspects(_ route: PushRoute, _ sent: inout SentStock) async {
    guard sent.hasPassed else { return }
    let suspects = sent.suspects
    sent.suspects = []
    for (pushed, _) in suspects where sent.stopped == nil {
      switch route {
      case .source(let code, _): await sendSources([pushed], code, &sent)
      case .stockItem: await sendItem(pushed, &sent)
      }
    }
  }

  // MARK: With sources

  /// One row that the shop doesn't take fails all of them (magento-rules.md §4): then halves are sent, until it is alone. That takes
  /// at most twice as many requests as there are rows.
  private func sendSources(_ rows: [PushedStock], _ code: String, _ sent: inout SentStock) async {
    // What the shop refuses is halved at once. What it fails on is halved when all else was sent, so that soon something gets
    // through, or the shop is known to be broken.
    var parts = [rows]
    var failing: [[PushedStock]] = []
    while sent.stopped == nil, let part = parts.popLast() ?? (failing.isEmpty ? nil : failing.removeFirst()) {
      if part.isEmpty { continue }
      do {
        _ = try await client.sendJSON("POST", "V1/inventory/source-items", SourceItems.body(part, code))
        sent.hasPassed = true
        await setManaged(part, &sent)
      } catch let error as CommerceError where limits.lower(after: error, from: part.count) {
        parts += stride(from: 0, to: part.count, by: limits.rows).reversed().map { start in
          Array(part[start..<min(start + limits.rows, part.count)])
        }
      } catch let error as CommerceError where error.kind == .refused && (part.count > 1 || !error.maySayNothingOfRow) {
        if part.count == 1 {
          sent.failed.append((part[0].row, error.message))
        } else {
          parts += Self.halves(part).reversed()
        }
      } catch let error as CommerceError where singlesOut && error.maySayNothingOfRow {
        guard sent.mayGoOn(after: error, part) else { break }
        if part.count > 1 {
          failing += Self.halves(part)
        } else {
          await suspect(part[0], error, code, &sent)
        }
      } catch let error as CommerceError where error.mayHaveHadEffect {
        // What the shop shows as it was meant needs no second request; the rest is sent again, later.
        let kept = await shown(part, code)
        await setManaged(part.filter { kept.contains($0.row.sku) }, &sent)
        sent.stop(error, part)
      } catch {
        sent.stop(error, part)
      }
    }
  }

  private static func halves(_ rows: [PushedStock]) -> [[PushedStock]] {
    [Array(rows[..<(rows.count / 2)]), Array(rows[(rows.count / 2)...])]
  }

  /// The shop fails on a row by itself; it may have saved it all the same.
  private func suspect(_ row: PushedStock, _ error: CommerceError, _ code: String, _ sent: inout SentStock) async {
    if error.mayHaveHadEffect, await shown([row], code).contains(row.row.sku) {
      await setManaged([row], &sent)
    } else {
      sent.suspects.append((row, error))
    }
  }

  /// - Returns: none when the shop can't be asked, which only means that all is sent again.
  private func shown(_ rows: [PushedStock], _ code: String) async -> Set<String> {
    do {
      return try await SourceItems.shown(rows, code, client)
    } catch {
      Log.info("what the shop took can't be read back; it is sent again", ["reason": LogValue(error)])
      return []
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
      sent.hasPassed = true
      sent.done.append(row)
    } catch let error as CommerceError where error.kind == .notFound {
      sent.failed.append((row.row, "the shop has no product with this SKU: \(error.message)"))
    } catch let error as CommerceError where error.kind == .refused && !error.maySayNothingOfRow {
      sent.failed.append((row.row, error.message))
    } catch let error as CommerceError where singlesOut && error.maySayNothingOfRow {
      if sent.mayGoOn(after: error, [row]) { sent.suspects.append((row, error)) }
    } catch {
      sent.stop(error, [row])
    }
  }
}

extension CommerceError {
  /// Whether a write may have failed for what it was about, or for the shop itself, and the answer doesn't tell: "Could not save" and
  /// 500 come of both.
  var maySayNothingOfRow: Bool {
    switch kind {
    case .failed: true
    case .refused: message.hasPrefix("Could not save")
    default: false
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
