import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// `omsconnector.v1.PostSalesService`.
struct PostSalesService: Omsconnector.V1.PostSalesService {
  let database: Database
  let authorize: AuthorizeReturn
  let setAttributes: SetAttributes
  let refunds = RefundStore()
  let returns = ReturnStore()
  /// Told when the shop's side of a return has to be looked at.
  let returnDue: @Sendable () -> Void
  /// Told when an order has refunds to be made.
  let refundDue: @Sendable () -> Void
}
