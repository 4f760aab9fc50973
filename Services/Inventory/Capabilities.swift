import Commerce
import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// `omsconnector.internal.v1.CapabilityService`: what the inventory service has a part in.
struct InventoryCapabilities: Omsconnector.Internal.V1.CapabilityService {
  typealias V1 = Omsconnector.V1
  /// What a finding names at most of a kind.
  static let named = 5

  let database: Database
  let push: StockPush
  let developerMode: Bool

  func listCapabilities(
    _ request: Omsconnector.Internal.V1.ListCapabilitiesRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.ListCapabilitiesResponse {
    do {
      let (statuses, held) = try await database.read { connection in
        (try PushQueue.statuses(connection), try HeldSnapshots.count(connection))
      }
      let locations = locations(statuses, held: held)
      return .init(
        features: [locations, virtualProducts(locations)],
        functions: [inventory, defaultStock(locations), productStockView(locations)])
    } catch {
      throw RPCError(inventory: error)
    }
  }

  // MARK: Features

  private func locations(_ statuses: [PushStatus], held: Int64) -> V1.Capability {
    var capability = V1.Capability(name: "multi-location-inventory", title: "Multi-location inventory", state: .active)
    let targets = push.targets
    let pushed = statuses.filter { targets[$0.aggregateId] != nil }
    let (pending, failed) = (pushed.reduce(0) { $0 + $1.pending }, pushed.reduce(0) { $0 + $1.failed })
    capability.detail =
      "\(targets.count) aggregates go to the shop: \(pending) rows on their way, \(failed) refused; "
      + "\(statuses.filter { targets[$0.aggregateId] == nil && $0.skus > 0 }.count) without a website"
    if push.inventory == nil {
      capability.state = .notConfigured
      capability.detail = "stock is taken from the OMS; there is no shop to tell"
      capability.remedy = "set COMMERCE_URL and COMMERCE_TOKEN"
    } else if targets.isEmpty {
      capability.state = .notConfigured
      capability.detail = "stock is taken from the OMS; the mapping file names no aggregate, so none goes to the shop"
      capability.remedy = "add to COMMERCE_MAPPING_FILE: aggregate ID = WEBSITE"
    } else if let failing = pushed.first(where: { !$0.lastError.isEmpty }) {
      capability.state = .degraded
      capability.detail += "; \(failing.aggregateId): \(failing.lastError)"
      capability.remedy = "see omsctl aggregates"
    } else if held > 0 {
      capability.state = .degraded
      capability.detail += "; \(held) snapshots wait for the operator"
      capability.remedy = "see omsctl stock held"
    } else if failed > 0 {
      capability.state = .degraded
      capability.remedy = "see omsctl aggregates, and the log for the first refused SKUs"
    }
    return capability
  }

  /// Unlimited stock: the shop doesn't count it.
  private func virtualProducts(_ locations: V1.Capability) -> V1.Capability {
    .init(
      name: "virtual-products", title: "Virtual products", state: locations.state,
      detail: "unlimited stock is not counted by the shop"
        + (locations.state == .active ? "" : "; \(locations.detail)"),
      remedy: locations.remedy)
  }

  // MARK: Functions

  private var inventory: V1.Capability {
    .init(
      name: "inventory", title: "Inventory is read-only",
      state: developerMode ? .degraded : .active,
      detail: developerMode
        ? "INVENTORY_DEVELOPER_MODE is on: SetStock sets quantities" : "SetStock is refused: the OMS owns stock",
      remedy: developerMode ? "unset INVENTORY_DEVELOPER_MODE in production" : "")
  }

  private func defaultStock(_ locations: V1.Capability) -> V1.Capability {
    .init(
      name: "default-stock", title: "Default stock is ignored", state: locations.state,
      detail: "aggregates are what is pushed; omsctl doctor names the websites that still sell from the default stock",
      remedy: locations.remedy)
  }

  private func productStockView(_ locations: V1.Capability) -> V1.Capability {
    .init(
      name: "product-stock-view", title: "Stock per aggregate of a product", state: .active,
      detail: "omsctl stock get and stock explain show what the OMS has told", remedy: "")
  }
}
