import RPC
import ServiceKit
import Storage

/// What is wrong with a message or a request: it can never be used as it is.
struct PostSalesError: Error, Equatable, CustomStringConvertible {
  let description: String
  /// Path from the message, e.g. `refund.lines[3].order_line`.
  let field: String

  init(_ description: String, field: String) {
    self.description = description
    self.field = field
  }

  /// Bytes of a credit note's number, of a return's and of an order's.
  static let numberBytes = 200

  /// What is kept as a key.
  static func check(_ text: String, _ field: String) throws(PostSalesError) {
    if text.isEmpty { throw PostSalesError("\(field) is missing", field: field) }
    if text.utf8.count > numberBytes || hasNUL(text) {
      throw PostSalesError("\(field) \"\(quotable(text))\" is no number of at most \(numberBytes) bytes", field: field)
    }
  }
}

extension RPCError {
  /// The status for whatever the use cases throw. What only the operator can use goes to the log as the cause.
  init(postSales error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case let error as PostSalesError: self = .invalid(field: error.field, error.description)
    default: self.init(storing: error, what: "the refund or return")
    }
  }
}
