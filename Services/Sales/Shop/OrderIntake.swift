import Commerce
import EventLoop
import Messages
import ServiceKit
import Storage

/// Takes over what polling and the nightly look back find in the shop.
struct OrderIntake: Sendable {
  let export: ExportOrders
  /// Nanoseconds since 1970: orders made before are left alone, unless they are asked for. nil for none.
  var since: Int64?

  /// States of orders that are exported by themselves.
  static let openStates = ["new", "processing"]

  static let pollName = "orders"

  /// What the poll reads: whatever has changed, since what became of orders that are known matters too. At first none is known:
  /// of a shop's history only orders that nobody has done anything with are read (magento-rules.md §6, "New orders").
  static func subject(since: Int64?) -> ShopPoll.Subject {
    var criteria = SearchCriteria()
    if let since { criteria = criteria.where("updated_at", .gteq, ShopTime.text(since / 1_000_000_000)) }
    let open = criteria.where("state", .in, openStates.joined(separator: ","))
    return ShopPoll.Subject(name: pollName, route: "V1/orders", criteria: criteria, firstCriteria: open)
  }

  /// Takes a page over, durably. An order that can't be read waits where it is seen, rather than keeping the others out.
  func take(_ items: [JSONValue]) async throws {
    var orders: [ShopOrder] = []
    for item in items {
      do throws(UnreadableOrder) {
        orders.append(try ShopOrder(item))
      } catch {
        try await hold(error)
      }
    }
    try await export.take(seen: try await wanted(orders))
  }

  /// Without those that are not known here and are none to be exported: other states than new and processing, or too old.
  private func wanted(_ orders: [ShopOrder]) async throws -> [ShopOrder] {
    var wanted: [ShopOrder] = []
    for order in orders {
      let isNew = order.isOpen && since.map { (order.createdAt ?? .max) >= $0 } ?? true
      if isNew {
        wanted.append(order)
      } else if try await export.store.order(order.incrementID) != nil {
        wanted.append(order)
      }
    }
    return wanted
  }

  private func hold(_ unreadable: UnreadableOrder) async throws {
    guard !unreadable.incrementID.isEmpty, unreadable.incrementID.utf8.count <= ShopOrder.incrementIDBytes else {
      Log.error("an order of the shop can't be read", ["reason": LogValue(unreadable)])
      return
    }
    let store = export.store
    let isNew = try await store.database.write(key: unreadable.incrementID) { connection in
      guard try store.order(connection, unreadable.incrementID) == nil else { return false }
      try store.save(connection, SalesOrder(unreadable, now: WallClock.nanoseconds()))
      try store.exportQueue.add(connection, unreadable.incrementID, after: ExportOrders.longestPause)
      return true
    }
    if isNew { Log.error("order waits", ["order": "\(unreadable.incrementID)", "reason": LogValue(unreadable)]) }
  }
}
