import Commerce

/// How far a refund is. The numbers are those of `omsconnector.v1.RefundState`, and are stored.
enum RefundState: Int64, Sendable {
  case pending = 1
  case due = 2
  case done = 3
  case stuck = 4
}

/// A refund as the store has it.
struct RefundRecord: Sendable, Equatable {
  struct Line: Sendable, Equatable {
    var number: Int
    var amount: Decimal
    var reason: String
    /// 0 until it is known.
    var itemID: Int64 = 0
    var sku: String = ""
    var isWhole = false
  }

  struct Memo: Sendable, Equatable {
    var id: Int64
    /// 0 of an offline one.
    var invoiceID: Int64
    var isOnline: Bool
    var amount: Decimal
  }

  var creditNote: String
  var incrementID: String
  var state: RefundState
  var type: RefundType
  var rma: String
  var status: String
  var statusReason: String
  /// This and other times: nanoseconds since 1970; 0 for none.
  var statusAt: Int64
  var amount: Decimal
  var currency = ""
  var refunded: Decimal = 0
  /// Store credit that it is owed.
  var credit: Decimal = 0
  var isCredited = false
  var reason = ""
  var attributes: [Attribute] = []
  /// No mail to the customer.
  var isSilent = false
  /// What the memo comes to that is being made; nil when none is.
  var expected: Decimal?
  /// Whether the shop's payment gateway gives back what is `expected`, or may have.
  var isExpectedOnline = false
  /// How often the shop has refused a memo since the last one that it made.
  var refusals = 0
  /// When that was asked for.
  var attemptedAt: Int64 = 0
  /// Of who has settled it by hand.
  var note = ""
  var createdAt: Int64
  var dueAt: Int64 = 0
  var lines: [Line] = []
  var memos: [Memo] = []

  /// Whether the shop has been asked for something, or may have been.
  var hasBegun: Bool { expected != nil || !memos.isEmpty || state == .done }

  /// What the message said.
  var notice: RefundNotice {
    RefundNotice(
      creditNote: creditNote, incrementID: incrementID, type: type, rma: rma, statusCode: status,
      statusReason: statusReason, statusAt: statusAt,
      lines: lines.map { .init(number: $0.number, amount: $0.amount, reason: $0.reason) }, attributes: attributes)
  }
}

extension RefundRecord {
  /// A refund that was not heard of before.
  init(_ notice: RefundNotice, now: Int64) {
    self.init(
      creditNote: notice.creditNote, incrementID: notice.incrementID, state: .pending, type: notice.type,
      rma: notice.rma, status: "", statusReason: "", statusAt: 0, amount: notice.amount, createdAt: now)
    isSilent = notice.isReplay
    take(notice, now: now)
  }

  /// Takes a message over. Messages come twice and out of order: what was released is never pending again, and of two that say
  /// the same the newer counts.
  ///
  /// - Returns: whether anything changed.
  @discardableResult
  mutating func take(_ notice: RefundNotice, now: Int64) -> Bool {
    let before = self
    if !notice.attributes.isEmpty { attributes.merge(notice.attributes) }
    let isRelease = state == .pending && notice.status == .released
    let isOlder = !isRelease && statusAt != 0 && notice.statusAt != 0 && notice.statusAt < statusAt
    let regresses = state != .pending && notice.status != .released && notice.status != .failed
    if isOlder || regresses { return self != before }
    (status, statusReason, statusAt) = (notice.statusCode, notice.statusReason, max(notice.statusAt, statusAt))
    if !notice.rma.isEmpty { rma = notice.rma }
    let differs =
      lines.map { [Decimal($0.number), $0.amount] } != notice.lines.map { [Decimal($0.number), $0.amount] }
    if differs, hasBegun {
      // What was given back can't be taken back by itself.
      state = .stuck
      reason =
        "the OMS now refunds \(notice.amount) \(currency) where it refunded \(amount) before, and the shop has "
        + "refunded \(refunded) already"
      return true
    }
    if differs {
      type = notice.type
      lines = notice.lines.map { Line(number: $0.number, amount: $0.amount, reason: $0.reason) }
      amount = notice.amount
    }
    if state == .stuck, !hasBegun, differs || RefundStatus(before.status) == .failed { state = .pending }
    advance(notice, now: now)
    return self != before
  }

  /// Makes it due: somebody has seen to what kept it back.
  mutating func resume(now: Int64) {
    // Who resumes what is stuck has looked at what became of the last request; one that is due may be waiting for its answer.
    if state == .stuck { (expected, refusals) = (nil, 0) }
    if state != .due { dueAt = now }
    (state, reason) = (.due, "")
  }

  private mutating func advance(_ notice: RefundNotice, now: Int64) {
    switch (notice.status, state) {
    case (.released, .pending):
      (state, dueAt, reason) = (.due, now, "")
      isSilent = isSilent || notice.isReplay
    case (.failed, .pending):
      state = .stuck
      reason = "the OMS says \(notice.statusCode): the payment gateway has not given \(amount) back"
    case (.failed, .due), (.failed, .done):
      state = .stuck
      reason = "the OMS says \(notice.statusCode) after it had released \(amount); the shop has refunded \(refunded)"
    case (.unknown, .pending):
      reason = "the OMS's status \(notice.statusCode) is not known; nothing is refunded until it is released"
    default: break
    }
  }

}
