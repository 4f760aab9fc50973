import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// `omsconnector.v1.PostSalesService`.
struct PostSalesService: Omsconnector.V1.PostSalesService {
  /// A page's size when the client names none, and the largest (AIP-158).
  static let pageSize = (standard: 100, largest: 1_000)

  let database: Database
  let authorize: AuthorizeReturn
  let setAttributes: SetAttributes
  let refunds = RefundStore()
  let returns = ReturnStore()
  /// Told when an order has refunds to be made.
  let refundDue: @Sendable () -> Void

  static func limit(_ pageSize: Int32) throws(RPCError) -> Int {
    if pageSize < 0 {
      throw .invalid(field: "page_size", "page_size \(pageSize) is negative; send 0 for \(Self.pageSize.standard)")
    }
    return pageSize == 0 ? Self.pageSize.standard : min(Int(pageSize), Self.pageSize.largest)
  }

  /// Of a list in the order of time: `NANOSECONDS KEY`.
  static func place(_ token: String, of list: String) throws(RPCError) -> (createdAt: Int64, key: String)? {
    if token.isEmpty { return nil }
    guard let text = PageToken.decode(token, of: list), let blank = text.firstIndex(of: " "),
      let createdAt = Int64(text[..<blank])
    else {
      throw .invalid(
        field: "page_token",
        "page_token \"\(quotable(token))\" is no next_page_token of this list; send one unchanged, or none for the first page"
      )
    }
    return (createdAt, String(text[blank...].dropFirst()))
  }
}
