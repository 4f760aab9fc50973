import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// Has the inventory service send an order's SKUs to the shop anew: shipping, cancelling and refunding moves what the shop counts
/// (magento-rules.md §3 and §4).
struct StockPush: Sendable {
  static let queue = WorkQueue(kind: "stock")
  /// SKUs in one call.
  static let batch = 1_000

  let store: SalesStore
  let inventory: Channel

  func callAsFunction(_ item: WorkItem) async throws -> WorkOutcome {
    let skus = Set(try await store.lines(of: item.key).filter { $0.kind == .physical }.map(\.sku)).sorted()
    for start in stride(from: 0, to: skus.count, by: Self.batch) {
      let part = Array(skus[start..<min(start + Self.batch, skus.count)])
      _ = try await inventory.unary(
        Omsconnector.V1.InventoryServiceMethods.pushStock, .init(skus: part),
        options: CallOptions(timeout: .seconds(30)))
    }
    return .done
  }
}
