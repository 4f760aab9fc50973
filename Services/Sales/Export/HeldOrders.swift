import Commerce
import EventLoop
import ServiceKit
import Storage

/// Tries orders again that wait: after SALES_HOLD_INTERVAL, then more and more seldom up to ten minutes, and all of them when the
/// service starts, since the mapping file may be another one.
struct HeldOrders: Sendable {
  /// Orders that are made due in one transaction.
  static let batch = 200

  let export: ExportOrders
  /// nil without a shop: then what was submitted is tried as it came.
  let shop: ShopOrders?

  /// What is done for a key of ``SalesStore/exportQueue``.
  func attempt(_ item: WorkItem) async throws -> WorkOutcome {
    guard let order = try await export.store.order(item.key), order.exportState == .held else { return .done }
    let found: ShopOrder?
    do {
      found = try await read(item.key)
    } catch let error as CommerceError {
      // However long the shop is away, its orders are not given up.
      return .again(after: pause(after: item.attempts), reason: "\(error)")
    }
    guard let shopOrder = found else {
      let (store, reason) = (export.store, "the shop has no order \(item.key) any more")
      try await store.database.write(key: item.key) { try store.setAttention($0, of: item.key, reason) }
      return .parked(reason: reason)
    }
    switch try await export.take(shopOrder, .due) {
    case .sent, .known, .over: return .done
    case .held(let order): return .again(after: pause(after: item.attempts), reason: order.reason)
    }
  }

  private func read(_ incrementID: String) async throws -> ShopOrder? {
    if let shop { return try await shop.order(incrementID) }
    let store = export.store
    guard let content = try await store.database.read({ try store.content($0, of: incrementID) }) else { return nil }
    return try ShopOrder(parsing: content)
  }

  func pause(after attempts: Int) -> Duration {
    min(export.firstPause * Double(UInt64(1) << UInt64(min(attempts, 10))), ExportOrders.longestPause)
  }

  /// Makes all of them due, once that is possible.
  func makeAllDue(on loop: EventLoop) async {
    while !Task.isCancelled {
      do {
        return try await makeAllDue()
      } catch {
        Log.warning("orders that wait can't be looked for; it is tried again", ["reason": LogValue(error)])
      }
      await loop.sleep(for: .seconds(5))
    }
  }

  func makeAllDue() async throws {
    let store = export.store
    var place: OrderPlace?
    while true {
      let after = place
      let page = try await store.database.read {
        try store.orders($0, OrderFilter(states: [.held]), after: after, limit: Self.batch)
      }
      guard let last = page.last else { return }
      try await store.database.write(weight: page.count) { connection in
        for order in page { try store.exportQueue.add(connection, order.incrementID) }
      }
      place = OrderPlace(createdAt: last.createdAt, incrementID: last.incrementID)
    }
  }
}
