import EventLoop
import ServiceKit
import Storage

@testable import Commerce
@testable import Sales

/// The model behind the interface that following the OMS needs of a shop, with answers on demand.
final class FollowedShop: FulfilmentShop {
  private struct State {
    var model: ModelShop
    var failure: CommerceError?
    /// Of each shipment.
    var sources: [String?] = []
    /// Of each shipment, whether its customer is told.
    var mails: [Bool] = []
  }

  private let state: Lock<State>

  init(_ model: ModelShop) { state = Lock(State(model: model)) }

  var model: ModelShop { state.withLock { $0.model } }
  var sources: [String?] { state.withLock { $0.sources } }
  var mails: [Bool] { state.withLock { $0.mails } }

  /// What every request for a document is answered from now on; nil lets them pass.
  func answer(_ failure: CommerceError?) { state.withLock { $0.failure = failure } }
  func change(_ body: (inout ModelShop) throws -> Void) rethrows { try state.withLock { try body(&$0.model) } }

  func read(_ entityID: Int64) async throws -> OrderInShop { model.order }
  func comments(_ entityID: Int64) async throws -> [String] { model.comments }

  func invoice(_ entityID: Int64, _ step: ShopPlan.Invoice) async throws -> Int64 {
    try make { try $0.model.invoice(step.quantities, marker: step.marker, capture: step.capture) }
    return Int64(model.invoices.count)
  }

  func ship(_ entityID: Int64, _ step: ShopPlan.Ship, source: String?, notify: Bool) async throws -> Int64 {
    try make {
      try $0.model.ship(step.quantities, marker: step.marker)
      $0.sources.append(source)
      $0.mails.append(notify)
    }
    return Int64(model.shipments.count)
  }

  func cancel(_ entityID: Int64) async throws -> Bool {
    try make { try $0.model.cancel() }
    return true
  }

  func comment(_ entityID: Int64, _ text: String, status: String?) async throws {
    change {
      $0.comments.append(text)
      if let status { $0.status = status }
    }
  }

  private func make(_ body: (inout State) throws -> Void) throws {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      do {
        try body(&state)
      } catch let refusal as ModelShop.Refused {
        throw CommerceError(.refused, status: 400, request: "POST a document", refusal.description)
      }
    }
  }
}

/// An order of two mugs that the OMS has, followed by the shop.
struct FollowedOrder {
  let sales: TemporarySales
  let shop: FollowedShop
  var work: ShopWork
  var store: SalesStore { sales.store }

  /// - Parameter mapping: with the payment method `card`.
  init(
    _ mapping: Mapping = Self.mapping, usesSources: Bool = false, giveUpAfter: Duration = .seconds(60)
  ) async throws {
    sales = try TemporarySales()
    var model = ModelShop()
    model.items = [.init(id: 3, parent: nil, type: "simple", ordered: 2)]
    shop = FollowedShop(model)
    var options = ShopWork.Options()
    options.usesSources = { usesSources }
    options.giveUpAfter = giveUpAfter
    work = ShopWork(store: sales.store, link: shop, mapping: mapping, options: options)
    var known = order("7")
    known.paymentMethod = "card"
    try await sales.add(known, [line(1), line(2)])
  }

  static var mapping: Mapping {
    var mapping = Mapping()
    mapping.payments["card"] = .init(model: .offline, capturesInParts: true)
    return mapping
  }

  func tell(_ message: some LedgerChange) async throws {
    let store = store
    _ = try await sales.database.write { connection in
      let text = try message.apply(to: store, connection, now: WallClock.nanoseconds())
      try store.orderQueue.add(connection, "7")
      return text
    }
  }

  /// A parcel with these lines.
  func ships(_ lines: Int..., request: String = "R-1", isReplay: Bool = false) async throws {
    let items = lines.map { #"{"order_line_number":\#($0)}"# }.joined(separator: ",")
    try await tell(
      Parcel(
        Array(#"{"shipment":{"order_id":"7","shipment_request_id":"\#(request)","items":[\#(items)]}}"#.utf8),
        isReplay: isReplay))
  }

  func updated(_ status: String, _ reason: String = "") async throws {
    try await tell(
      OrderUpdate(
        updated: Array(#"{"order":{"id":"7","status":"\#(status)","status_reason":"\#(reason)"}}"#.utf8)))
  }

  /// One round of the work on it.
  @discardableResult
  func follow() async throws -> WorkOutcome {
    let (store, now) = (store, WallClock.nanoseconds())
    let items = try await sales.database.write {
      try store.orderQueue.claim($0, limit: 1, holder: "test", for: .seconds(60), now: now + 1)
    }
    guard let item = items.first else { return .done }
    do {
      let outcome = try await work(item)
      try await sales.database.write { connection in
        switch outcome {
        case .parked(let reason): try store.orderQueue.park(connection, item, reason: reason)
        case .unsettled(_, let reason):
          try store.orderQueue.retry(connection, item, after: .zero, reason: reason, now: now - 1)
        case .done, .again: try store.orderQueue.finish(connection, item)
        }
      }
      return outcome
    } catch {
      try await sales.database.write {
        try store.orderQueue.retry($0, item, after: .zero, reason: "\(error)", now: now - 1)
      }
      throw error
    }
  }

  func attention() async throws -> String { try await store.order("7")?.attention ?? "" }
}
