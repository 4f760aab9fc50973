import Commerce
import Messages
import ServiceKit
import Storage

/// Takes the shop's orders over and sends them to the OMS, in whichever way they come to us: by polling, by the nightly look back,
/// by an RPC, or because they have waited.
///
/// Seen twice an order is sent once. The order, its lines and its message in the outbox commit together, and what commits first
/// decides. What can't be sent waits, with its reason, and is tried again.
struct ExportOrders: Sendable {
  static let create = "magento.sales.order_management.create"
  static let cancel = "magento.sales.order_management.cancel"

  /// What brings an order here.
  enum Occasion: Sendable {
    /// It was seen: it is sent when it is new, or has waited and is not the same any more.
    case seen
    /// Its time to be tried again has come.
    case due
    /// Somebody wants it to be sent now, also one that failed, or was never confirmed.
    case asked

    func sends(_ known: SalesOrder?, digest: [UInt8]) -> Bool {
      guard let known else { return true }
      return switch known.exportState {
      case .held: self != .seen || known.shopDigest != digest
      case .failed, .unconfirmed: self == .asked
      // Who asks has seen that the OMS has told of another order by this number.
      case .foreign: self == .asked
      case .sent, .accepted: false
      }
    }
  }

  enum Outcome: Sendable, Equatable {
    case sent(SalesOrder)
    case held(SalesOrder)
    /// It was sent, or looked at, before.
    case known(SalesOrder)
    /// The shop has ended it before it was sent: it is forgotten, as the OMS has never heard of it.
    case over(state: String)
  }

  let store: SalesStore
  let mapping: Mapping
  let stores: ShopStores
  let catalog: CatalogLookUp
  /// How soon what is held is tried again for the first time; later it takes longer.
  let firstPause: Duration
  /// Units of an item that are lines of their own at the most (magento-rules.md §6, "Units").
  let unitLimit: Int
  /// Told when messages have been added to the outbox.
  let added: @Sendable () -> Void
  /// A shop's whole night may wait for one thing: it is said of some, and counted of the others.
  private let waitingLines = LogAllowance()

  init(
    store: SalesStore, mapping: Mapping, stores: ShopStores, catalog: CatalogLookUp,
    firstPause: Duration = .seconds(30), unitLimit: Int = LedgerLine.defaultUnitLimit,
    added: @escaping @Sendable () -> Void
  ) {
    self.store = store
    self.mapping = mapping
    self.stores = stores
    self.catalog = catalog
    self.firstPause = firstPause
    self.unitLimit = unitLimit
    self.added = added
  }

  /// Orders that are written at the same time, so that they share a commit.
  static let concurrency = 32
  static let longestPause = Duration.seconds(600)

  /// Takes an order over; returns when that is durable.
  @discardableResult
  func take(_ shopOrder: ShopOrder, _ occasion: Occasion) async throws -> Outcome {
    try await take(shopOrder, occasion, products: await products(of: [shopOrder]))
  }

  /// The same for many, that were all seen.
  func take(seen orders: [ShopOrder]) async throws {
    let products = await products(of: orders)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, order) in orders.enumerated() {
        if index >= Self.concurrency { try await group.next() }
        group.addTask { _ = try await take(order, .seen, products: products) }
      }
      try await group.waitForAll()
    }
  }

  private func take(
    _ shopOrder: ShopOrder, _ occasion: Occasion, products: Result<CatalogProducts, ExportHold>
  ) async throws -> Outcome {
    let known = try await store.order(shopOrder.incrementID)
    if let known, !occasion.sends(known, digest: shopOrder.digest), known.shopDigest == shopOrder.digest {
      return .known(known)
    }
    let draft = OrderDraft(
      shopOrder, view: await view(of: shopOrder), products: products, mapping, unitLimit: unitLimit)
    let outcome = try await commit(draft, shopOrder, occasion)
    tell(outcome, before: known)
    if case .held = outcome { await announce(shopOrder) }
    return outcome
  }

  /// A shipping method that is not mapped is exported to the catalog while its orders wait, so that the OMS knows it once it is
  /// (magento-rules.md §6, "Shipping methods"). Nothing waits for it: each attempt at the order says it again.
  private func announce(_ shopOrder: ShopOrder) async {
    let method = shopOrder.message.extensionAttributes?.shippingAssignments.first?.shipping?.method ?? ""
    guard !method.isEmpty, !shopOrder.message.isVirtual, mapping.shipping[method] == nil else { return }
    do {
      try await catalog.announce(shippingMethod: method, name: shopOrder.message.shippingDescription)
    } catch {
      Log.warning(
        "an unmapped shipping method can't be exported", ["method": "\(quotable(method))", "reason": LogValue(error)])
    }
  }

  /// What of the catalog these orders need.
  private func products(of orders: [ShopOrder]) async -> Result<CatalogProducts, ExportHold> {
    var ids: Set<Int64> = []
    var skus = Set(mapping.services.values)
    for order in orders {
      for item in order.message.items where item.productId != 0 { ids.insert(item.productId) }
      let method = order.message.extensionAttributes?.shippingAssignments.first?.shipping?.method ?? ""
      if let sku = mapping.shipping[method]?.sku { skus.insert(sku) }
    }
    do {
      return .success(try await catalog(productIDs: ids, skus: skus))
    } catch {
      return .failure(.unavailable(what: "the catalog service", reason: "\(error)"))
    }
  }

  private func view(of shopOrder: ShopOrder) async -> Result<ShopView, ExportHold> {
    do {
      guard let view = try await stores.view(shopOrder.message.storeId) else {
        return .failure(.storeView(shopOrder.message.storeId))
      }
      return .success(view)
    } catch let hold as ExportHold {
      return .failure(hold)
    } catch {
      return .failure(.unavailable(what: "the shop", reason: "\(error)"))
    }
  }

  private func tell(_ outcome: Outcome, before: SalesOrder?) {
    switch outcome {
    case .sent(let order):
      added()
      Log.info(
        "order sent", ["order": "\(order.incrementID)", "delivery_id": .deliveryID(order.deliveryID)])
    case .held(let order) where order.reason != before?.reason:
      guard let others = waitingLines.take() else { return }
      Log.warning(
        "order waits",
        ["order": "\(order.incrementID)", "reason": "\(order.reason)", "others": LogValue(others)])
    case .over(let state):
      if let before {
        Log.info("order is over before it was sent", ["order": "\(before.incrementID)", "state": "\(state)"])
      }
    case .held, .known: return
    }
  }
}
