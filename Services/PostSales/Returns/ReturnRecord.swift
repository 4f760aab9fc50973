import Commerce

/// A return as the store has it.
struct ReturnRecord: Sendable, Equatable {
  struct Line: Sendable, Equatable {
    var number: Int
    var itemID: Int64
    var sku: String
    var reason = ""
    var condition = ""
    /// The OMS's.
    var status = ""
    /// Units of it that come back; nil when nobody has said how many.
    var quantity: Decimal?
  }

  /// Of the store: `shop ENTITY` of one that was asked for, `oms RMA` of one that was not.
  var key: String
  /// The OMS's id; empty before it has answered.
  var rma = ""
  /// What the shop calls it; empty when it does not have it.
  var shopNumber = ""
  var incrementID: String
  /// The shop's; 0 when it does not have it.
  var entityID: Int64 = 0
  var state: ReturnState
  var omsStatus = ""
  var omsReason = ""
  /// This and other times: nanoseconds since 1970; 0 for none.
  var statusAt: Int64 = 0
  var isBlind = false
  var reason = ""
  var needsAttention = false
  var tracking = ReturnNotice.Tracking()
  var attributes: [Attribute] = []
  /// Of the message by which the OMS was asked.
  var deliveryID = ""
  /// When the shop was asked to make it; 0 when nothing is open.
  var attemptedAt: Int64 = 0
  var createdAt: Int64
  var lines: [Line] = []

  var numbers: Set<Int> { Set(lines.map(\.number)) }

  /// Whether the OMS knows of it, or was asked and has not refused.
  var isAsked: Bool { !rma.isEmpty || !deliveryID.isEmpty }

  /// The OMS could not use what it was asked by; once it has answered, that is about something else.
  mutating func refuse(_ message: String) {
    guard rma.isEmpty, state == .requested else { return }
    (needsAttention, reason) = (true, "the OMS refused it: \(message.prefix(Self.reasonCharacters))")
  }

  /// Of what the OMS says of a refusal.
  static let reasonCharacters = 1_000

  /// Somebody has seen to what kept it back.
  mutating func resume() {
    // What the OMS has refused it is asked for anew.
    if rma.isEmpty, needsAttention { deliveryID = "" }
    (reason, needsAttention) = ("", false)
  }

  /// A return that came without having been asked for.
  init(blind notice: ReturnNotice, now: Int64) {
    self.init(key: "oms \(notice.rma)", rma: notice.rma, incrementID: notice.incrementID, state: .open, createdAt: now)
    isBlind = true
  }

  /// A return of the shop that the OMS was not asked for yet.
  init(unasked made: ShopReturn, now: Int64) {
    self.init(
      key: "shop \(made.rma.entityId)", incrementID: made.rma.orderIncrementId, state: .requested, createdAt: now)
    (entityID, shopNumber) = (made.rma.entityId, made.rma.incrementId)
  }

  init(key: String, rma: String = "", incrementID: String, state: ReturnState, createdAt: Int64) {
    self.key = key
    self.rma = rma
    self.incrementID = incrementID
    self.state = state
    self.createdAt = createdAt
  }

  /// Takes a message over. Of two that say different things the newer counts; what has ended is not opened again by an older
  /// state of things, whatever the dates say.
  mutating func take(_ notice: ReturnNotice) {
    rma = notice.rma
    attributes.merge(notice.attributes)
    if !notice.tracking.number.isEmpty { tracking = notice.tracking }
    let isOlder = statusAt != 0 && notice.statusAt != 0 && notice.statusAt < statusAt
    let (old, new) = (ReturnItemStatus(omsCode: omsStatus), ReturnItemStatus(omsCode: notice.statusCode))
    let regresses = if let old, let new { old.isFinal ? new != old : new < old } else { false }
    if !notice.lines.isEmpty, lines.isEmpty || !(isOlder || regresses) { lines = merged(notice.lines) }
    if isOlder || regresses {
      if state == .requested { state = .open }
      return
    }
    (omsStatus, omsReason, statusAt) = (notice.statusCode, notice.statusReason, max(statusAt, notice.statusAt))
    state = (new?.isFinal ?? false) ? .ended : state == .ended ? .ended : .open
  }

  private func merged(_ new: [ReturnNotice.Line]) -> [Line] {
    new.map { line in
      let known = lines.first { $0.number == line.number }
      return Line(
        number: line.number, itemID: known?.itemID ?? line.itemID, sku: line.sku.isEmpty ? known?.sku ?? "" : line.sku,
        reason: line.reason.isEmpty ? known?.reason ?? "" : line.reason,
        condition: line.condition.isEmpty ? known?.condition ?? "" : line.condition, status: line.status,
        quantity: line.quantity ?? known?.quantity)
    }
  }

  /// Where a line is to be in the shop: its own status, else that of the return; nil for one that is not known.
  func itemStatus(of line: Line) -> ReturnItemStatus? {
    ReturnItemStatus(omsCode: line.status) ?? ReturnItemStatus(omsCode: omsStatus)
  }
}
