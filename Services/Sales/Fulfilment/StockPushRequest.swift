import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// Has the inventory service send an order's SKUs to the shop anew: shipping, cancelling and refunding moves what the shop counts
/// (magento-rules.md §3 and §4).
struct StockPushRequest: Sendable {
  static let queue = WorkQueue(kind: "stock")
  /// SKUs in one call.
  static let batch = 1_000

  let store: SalesStore
  let inventory: Channel

  func callAsFunction(_ item: WorkItem) async throws -> WorkOutcome {
    let skus = Set(try await store.lines(of: item.key).filter(\.kind.isCounted).map(\.sku)).sorted()
    for start in stride(from: 0, to: skus.count, by: Self.batch) {
      let part = Array(skus[start..<min(start + Self.batch, skus.count)])
      _ = try await inventory.unary(
        Omsconnector.V1.InventoryServiceMethods.pushStock, .init(skus: part),
        options: CallOptions(timeout: .seconds(30)))
    }
    return .done
  }
}

extension SoldItem.Kind {
  /// Whether the shop may count its stock: also that of virtual products, which leave its books with their invoice.
  var isCounted: Bool { self == .physical || self == .virtual }
}
