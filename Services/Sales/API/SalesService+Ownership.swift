import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// Who may change an order (connector.md §9, "Order management").
extension SalesService {
  func checkOrderChange(
    _ request: V1.CheckOrderChangeRequest, context: ServerContext
  ) async throws -> V1.CheckOrderChangeResponse {
    if request.orderId == 0 {
      try Self.check(request.incrementId, "increment_id")
    } else if request.orderId < 0 || !request.incrementId.isEmpty {
      throw RPCError.invalid(
        field: "order_id", "order_id is \(request.orderId); send it or increment_id, as the shop has it")
    }
    guard let change = OrderChange(request.change) else {
      throw RPCError.invalid(field: "change", "change is \(request.change); send what the shop is about to do")
    }
    try Self.checkLength(request.comment, "comment", limit: Self.textBytes)
    do {
      let found =
        request.orderId == 0
        ? try await store.order(request.incrementId) : try await store.order(entityID: request.orderId)
      guard let order = found, order.exportState.isWithOMS else { return .init() }
      if change.isOurs, try await isBeingBroughtUpToDate(order) { return .init() }
      if let mark = change.mark, request.comment.hasPrefix(mark), request.comment != mark { return .init() }
      throw Self.refusal(change, order)
    } catch {
      throw RPCError(sales: error)
    }
  }

  /// What the OMS has decided is carried out by the same calls of the shop that a person's change makes, and its webhook asks for
  /// these, too. While the connector works on the order it is its own doing; what a person does at that very time is found by the
  /// look at the shop that follows.
  private func isBeingBroughtUpToDate(_ order: SalesOrder) async throws -> Bool {
    let store = store
    return try await store.database.read { try store.orderQueue.isWorkedOn($0, order.incrementID) }
  }

  private static func refusal(_ change: OrderChange, _ order: SalesOrder) -> RPCError {
    let since = order.sentAt.map { ", which has it since \(Google.Protobuf.Timestamp(nanosecondsSinceEpoch: $0).text)" }
    return .precondition(
      "ORDER_BELONGS_TO_OMS",
      "order \(order.incrementID) belongs to the OMS\(since ?? ""): it can't be \(change.done) in the shop; "
        + "\(change.instead(of: order.incrementID))")
  }

  /// What the shop is about to do, and how it is done instead.
  private enum OrderChange {
    case hold, cancel, invoice, ship, refund, returned, edit, status

    init?(_ change: V1.OrderChange) {
      switch change {
      case .hold: self = .hold
      case .cancel: self = .cancel
      case .invoice: self = .invoice
      case .ship: self = .ship
      case .refund: self = .refund
      case .return: self = .returned
      case .edit: self = .edit
      case .status: self = .status
      default: return nil
      }
    }

    /// Whether the sales service does it, too, when the OMS says so.
    var isOurs: Bool {
      switch self {
      case .invoice, .ship, .cancel, .status: true
      case .hold, .refund, .returned, .edit: false
      }
    }

    /// How the comments begin of what the post-sales service makes when the OMS says so. Somebody who writes one by hand gets by
    /// here, and is found: that service knows the numbers behind them, and tells of a credit memo with another one.
    var mark: String? {
      switch self {
      case .refund: ShopPlan.Marker.creditNote
      case .returned: "OMS return "
      case .hold, .cancel, .invoice, .ship, .edit, .status: nil
      }
    }

    var done: String {
      switch self {
      case .hold: "held"
      case .cancel: "cancelled"
      case .invoice: "invoiced"
      case .ship: "shipped"
      case .refund: "refunded"
      case .returned: "returned"
      case .edit: "edited"
      case .status: "given another status"
      }
    }

    func instead(of incrementID: String) -> String {
      switch self {
      case .hold: "hold it at the OMS"
      case .cancel: "ask the OMS to cancel it, at the OMS or with: omsctl orders cancel \(incrementID)"
      case .invoice: "it is invoiced when the OMS has shipped it"
      case .ship: "it is shipped when the OMS says that it has left the warehouse"
      case .refund: "refund it at the OMS, which has the shop do it"
      case .returned: "ask for the return with PostSalesService.AuthorizeReturn; the OMS decides"
      case .edit: "change it at the OMS, or cancel it there and place a new one"
      case .status: "its status follows that of the OMS"
      }
    }
  }
}
