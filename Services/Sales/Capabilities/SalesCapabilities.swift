import Commerce
import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// What of the features and of the shop's disabled functions the sales service does, from what is really configured and running.
struct SalesCapabilities: Omsconnector.Internal.V1.CapabilityService {
  typealias Capability = Omsconnector.V1.Capability

  let store: SalesStore
  let shop: Shop
  /// nil when none is configured.
  let carrier: ParcelCarrier?
  let catalog: CatalogLookUp
  /// nil without a shop.
  let poll: ShopPoll?
  /// Whether SALES_PAYMENTS_URL is set.
  let hasPaymentIntegration: Bool

  func listCapabilities(
    _ request: Omsconnector.Internal.V1.ListCapabilitiesRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.ListCapabilitiesResponse {
    do {
      let store = store
      let (counts, unmapped, requests, following) = try await store.database.read { connection in
        (
          try store.counts(connection), try store.unmappedMethods(connection),
          try store.openShipmentRequests(connection), try store.orderQueue.count(connection)
        )
      }
      return .init(
        features: features(counts, openRequests: requests, following),
        functions: [orderManagement, methods(unmapped)])
    } catch {
      throw RPCError(sales: error)
    }
  }

  // MARK: Features

  private func features(
    _ counts: [ExportState: Int], openRequests: Int, _ following: (waiting: Int, parked: Int)
  ) -> [Capability] {
    [
      orderExport(counts),
      needingShop(
        "gift-cards", "Gift cards",
        "used gift cards are discounts of the order, named by its attributes gift_cards and gift_cards_amount"),
      needingShop(
        "store-credit", "Store credit",
        "store credit and reward points are discounts of the order, named by its attributes"),
      attributes,
      needingShop(
        "simple-and-configurable-products", "Simple and configurable products",
        "a line for each unit, of a configurable product its variant"),
      needingShop(
        "virtual-products", "Virtual products", "lines of kind VIRTUAL; orders of nothing else go without shipping"),
      needingShop(
        "bundle-products", "Bundle products",
        "the bundle at 0, its parts with their prices; parts that ship together say so"),
      logistics(openRequests), partialShipment(following), partialCapture,
    ]
  }

  private func partialShipment(_ following: (waiting: Int, parked: Int)) -> Capability {
    let (name, title) = ("partial-shipment", "Partial shipment")
    guard shop.client != nil else { return withoutShop(name, title) }
    let detail = "a shipment for each parcel; the shop is behind with \(following.waiting + following.parked) orders"
    guard following.parked > 0 else { return .init(name: name, title: title, state: .active, detail: detail) }
    return .init(
      name: name, title: title, state: .degraded,
      detail: "\(detail), \(following.parked) of which wait for an operator",
      remedy: "see omsctl orders list --attention")
  }

  private var partialCapture: Capability {
    let (name, title) = ("partial-capture", "Partial capture")
    guard shop.client != nil else { return withoutShop(name, title) }
    let methods = shop.mapping.payments.values
    let custom = methods.filter { $0.model == .custom }.count
    let parts = methods.filter { $0.model == .offline && $0.capturesInParts }.count
    let single = methods.filter { $0.model == .offline && !$0.capturesInParts }.count
    let detail =
      "payment methods captured with each parcel: \(parts), once at the last one: \(single), "
      + "by the OMS's payment integration: \(custom)"
    if custom > 0, !hasPaymentIntegration {
      return .init(
        name: name, title: title, state: .degraded, detail: "\(detail), and there is none",
        remedy: "set SALES_PAYMENTS_URL")
    }
    return .init(name: name, title: title, state: .active, detail: detail)
  }

  private func orderExport(_ counts: [ExportState: Int]) -> Capability {
    let (name, title) = ("order-export", "Order export")
    guard shop.client != nil else { return withoutShop(name, title) }
    guard !shop.mapping.websites.isEmpty || !shop.mapping.storeViews.isEmpty else {
      return .init(
        name: name, title: title, state: .notConfigured, detail: "no website has a sales channel",
        remedy: "add website CODE = CHANNEL to COMMERCE_MAPPING_FILE")
    }
    let texts = ExportState.allCases.compactMap { state in
      counts[state].map { "\($0) \(state.name)" }
    }
    let detail = texts.isEmpty ? "no order so far" : "orders: \(texts.joined(separator: ", "))"
    if let failure = poll?.status.failure {
      return .init(
        name: name, title: title, state: .degraded, detail: "\(detail); the shop can't be read: \(failure)",
        remedy: "see omsctl doctor")
    }
    let isTroubled = (counts[.failed] ?? 0) + (counts[.unconfirmed] ?? 0) > 0
    return .init(
      name: name, title: title, state: isTroubled ? .degraded : .active, detail: detail,
      remedy: isTroubled ? "see omsctl orders list --attention" : "")
  }

  private var attributes: Capability {
    let levels: [Mapping.Level] = [.order, .line, .address, .payment]
    let counts = levels.compactMap { level in
      let count = shop.mapping.attributes(of: level).count
      return count == 0 ? nil : "\(count) of level \(level.rawValue)"
    }
    return .init(
      name: "custom-order-attributes", title: "Custom order attributes",
      state: counts.isEmpty ? .notConfigured : .active,
      detail: counts.isEmpty ? "no attribute of orders is mapped" : "exported: \(counts.joined(separator: ", "))",
      remedy: counts.isEmpty ? "add attribute order NAME = OMS-NAME to COMMERCE_MAPPING_FILE" : "")
  }

  private func logistics(_ openRequests: Int) -> Capability {
    let parcels = carrier.map { "parcels of stores go with \($0.name)" } ?? "no carrier for parcels of stores"
    return .init(
      name: "logistics-import", title: "Logistics import", state: .active,
      detail: "\(openRequests) shipment requests are open at the warehouse; \(parcels)",
      remedy: carrier == nil ? "set SALES_CARRIER if stores ship" : "")
  }

  // MARK: Functions

  private var orderManagement: Capability {
    needingShop(
      "order-management", "Order management in the shop",
      "refused once the OMS may have the order: CheckOrderChange says so to whoever asks before a change")
  }

  private func methods(_ unmapped: [UnmappedMethod]) -> Capability {
    let detail =
      "\(shop.mapping.shipping.count) shipping and \(shop.mapping.payments.count) payment methods are mapped"
    return .init(
      name: "shipping-and-payment-methods", title: "Shipping and payment methods",
      state: shop.client == nil ? .notConfigured : unmapped.isEmpty ? .active : .degraded,
      detail: unmapped.isEmpty ? detail : "\(detail); orders wait for \(unmapped.count) that are not",
      remedy: unmapped.first.map { "see omsctl doctor; the first of them: \($0.reason)" } ?? "")
  }

  // MARK: -

  private func needingShop(_ name: String, _ title: String, _ detail: String) -> Capability {
    guard shop.client != nil else { return withoutShop(name, title) }
    return .init(name: name, title: title, state: .active, detail: detail)
  }

  private func withoutShop(_ name: String, _ title: String) -> Capability {
    .init(
      name: name, title: title, state: .notConfigured, detail: "there is no shop", remedy: "set COMMERCE_URL")
  }
}

extension ExportState {
  /// As in reports.
  var name: String {
    switch self {
    case .held: "waiting"
    case .sent: "sent"
    case .accepted: "accepted"
    case .failed: "refused"
    case .unconfirmed: "not confirmed"
    case .foreign: "made by the OMS"
    }
  }
}
