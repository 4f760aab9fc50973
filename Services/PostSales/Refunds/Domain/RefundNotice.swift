import Commerce

/// Why the OMS gives money back (connector.md §2.10).
enum RefundType: String, Sendable {
  case returned = "return"
  /// Money back without goods.
  case appeasement
  case cancellation

  /// Compared without regard to case; receivers have seen `Return`, `return` and `CANCELLED`. What is none of the others is
  /// treated as a return: goods whose whole price comes back are taken out of the order.
  init(_ text: String) {
    let text = text.lowercased()
    self = text.hasPrefix("appease") ? .appeasement : text.hasPrefix("cancel") ? .cancellation : .returned
  }
}

/// What a status of a refund means for the shop. The list of codes is open (messages.md §5): those that are known act, any
/// other waits.
enum RefundStatus: Sendable, Equatable {
  /// The gateway has not answered yet.
  case pending
  /// The money is, or is to be, given back: the memo is due.
  case released
  /// The gateway has refused.
  case failed
  case unknown

  /// OFFLINE has one message, `RELEASED`. CUSTOM has `PENDINGRELEASE` first; then its terminal code says how it ended.
  init(_ code: String) {
    let code = code.uppercased().filter(\.isLetter)
    self =
      switch code {
      case "PENDINGRELEASE", "PENDING", "REQUESTED", "": .pending
      case "RELEASED", "RELEASESUCCESS", "REFUNDED": .released
      default:
        ["FAIL", "REJECT", "DECLINE", "DENIED", "CANCEL", "ERROR"].contains { code.contains($0) } ? .failed : .unknown
      }
  }
}

/// What the OMS says of a refund (messages.md §4.9).
struct RefundNotice: Sendable, Equatable {
  struct Line: Sendable, Equatable {
    /// Of the order, as the OMS numbers its lines.
    var number: Int
    /// With tax, in the order's currency.
    var amount: Decimal
    var reason: String
  }

  var creditNote: String
  var incrementID: String
  var type: RefundType
  var rma: String
  var statusCode: String
  var statusReason: String
  /// Nanoseconds since 1970; 0 when the message does not say.
  var statusAt: Int64
  /// Each number once.
  var lines: [Line]
  var attributes: [Attribute] = []
  /// Whether an operator had the message consumed again: customers get no mail for what is old.
  var isReplay = false

  var status: RefundStatus { RefundStatus(statusCode) }
  var amount: Decimal { lines.map(\.amount).sum() }
}

/// A custom attribute (connector.md §2.13).
struct Attribute: Sendable, Equatable {
  var name: String
  var value: String
}

extension [Attribute] {
  /// Of one refund or return: more are not kept.
  static let limit = 1_000

  /// Updates append: what is not named stays (connector.md §2.13).
  mutating func merge(_ new: [Attribute]) {
    for attribute in new {
      if let index = firstIndex(where: { $0.name == attribute.name }) {
        self[index].value = attribute.value
      } else if count < Self.limit {
        append(attribute)
      }
    }
  }
}
