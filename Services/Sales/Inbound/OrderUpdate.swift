import Commerce
import Messages
import RPC
import ServiceKit
import Storage

/// `order_management.created` and `.updated`: the OMS has the order, and says where it is with it.
struct OrderUpdate: LedgerChange {
  let order: Magento.Oms.V1.Order
  /// `created` confirms the export.
  let isCreated: Bool

  var incrementID: String { order.id }
  var weight: Int { 4 + order.lines.count }

  init(created body: [UInt8]) throws { try self.init(body, isCreated: true) }
  init(updated body: [UInt8]) throws { try self.init(body, isCreated: false) }

  private init(_ body: [UInt8], isCreated: Bool) throws {
    guard let order = try Magento.Oms.V1.OrderMessage(json: body).order else {
      throw RPCError.invalid(field: "order", "order is missing; send the order in it")
    }
    try OrderLimits.check(id: order.id, field: "order.id")
    try OrderLimits.check(lines: order.lines.count)
    self.order = order
    self.isCreated = isCreated
  }

  func apply(to store: SalesStore, _ connection: Connection, now: Int64) throws -> String {
    let status = OrderStatus(code: order.status, reason: order.statusReason ?? "")
    guard var known = try store.order(connection, order.id) else {
      guard !order.originalOrderId.isEmpty else { throw RPCError.noOrder(order.id) }
      return try takeIn(store, connection, status, now)
    }
    try OrderLimits.checkSent(known)
    let isNewer = isNewer(status, than: known)
    if !isNewer, known.exportState == .failed { return "an older status, \(status.text), changes nothing" }
    if status.failsImport {
      if isNewer { try setStatus(store, connection, status, &known, now) }
      if known.exportState != .accepted {
        let reason = "the OMS could not import it: \(status.text)"
        try store.markFailed(connection, order.id, reason: reason)
        try store.addComment(connection, of: order.id, known.exportFailed(reason))
      }
      return "import failed"
    }
    try store.markAccepted(connection, order.id, now: now)
    known = try store.order(connection, order.id) ?? known
    if isNewer, !status.code.isEmpty {
      try setStatus(store, connection, status, &known, now)
    }
    let told = try applyLines(store, connection, known, status, isNewer: isNewer, now)
    return ([isNewer ? "status \(status.text)" : "an older status, \(status.text), changes nothing"] + told)
      .joined(separator: "; ")
  }

  /// Statuses are ordered by their own time, never by that of their arrival; where it is missing, or the same, by how far along
  /// they are.
  private func isNewer(_ status: OrderStatus, than known: SalesOrder) -> Bool {
    let current = OrderStatus(code: known.omsStatus, reason: known.omsStatusReason)
    guard let before = known.omsStatusAt else { return true }
    let time = OrderLimits.time(order.statusDate) ?? before
    return time != before ? time > before : status.rank >= current.rank
  }

  private func setStatus(
    _ store: SalesStore, _ connection: Connection, _ status: OrderStatus, _ known: inout SalesOrder, _ now: Int64
  ) throws {
    let isNews = known.omsStatus != status.code || known.omsStatusReason != status.reason
    let time = OrderLimits.time(order.statusDate) ?? known.omsStatusAt ?? now
    known.omsStatus = status.code
    known.omsStatusReason = status.reason
    known.omsStatusAt = time
    known.omsStatusReceivedAt = now
    try store.save(connection, known, now: now)
    if isNews, known.entityID != 0 {
      // Without a time of its own it has that of the status before, which it may have been already.
      let said = OrderLimits.time(order.statusDate) ?? now
      try store.addComment(connection, of: order.id, SalesStore.dated("OMS: \(status.text)", said))
    }
    if status.code == "ERROR" {
      Log.error("the OMS has an error with an order", ["order": "\(order.id)", "status": "\(status.text)"])
    }
  }

  /// What the message says of single lines, each by its own time; and what the order's end means for all.
  private func applyLines(
    _ store: SalesStore, _ connection: Connection, _ known: SalesOrder, _ status: OrderStatus, isNewer: Bool,
    _ now: Int64
  ) throws -> [String] {
    var lines = Dictionary(try store.lines(connection, of: order.id).map { ($0.number, $0) }) { first, _ in first }
    var changed: Set<Int> = []
    var cancelled: [Int] = []
    for said in order.lines {
      let number = Int(said.lineNumber)
      guard var line = lines[number] else { continue }
      let time = OrderLimits.time(said.statusDate) ?? OrderLimits.time(order.statusDate) ?? now
      guard time >= line.statusAt ?? .min, !said.status.isEmpty || !said.sourceId.isEmpty else { continue }
      if !said.status.isEmpty {
        line.status = OrderStatus(code: said.status).code
        line.statusAt = time
      }
      if !said.sourceId.isEmpty { line.sourceID = said.sourceId }
      if ["CANCELLED", "CANCELED"].contains(line.status), line.shippedAt == nil, line.cancelledAt == nil {
        line.cancelledAt = time
        cancelled.append(number)
      }
      if line != lines[number] {
        lines[number] = line
        changed.insert(number)
      }
    }
    if isNewer, status.cancelsAll {
      for (number, var line) in lines where line.shippedAt == nil && line.cancelledAt == nil {
        line.cancelledAt = now
        lines[number] = line
        changed.insert(number)
      }
    }
    try store.save(connection, changed.sorted().compactMap { lines[$0] }, of: order.id)
    if known.entityID != 0 {
      for number in cancelled.prefix(20) {
        guard let line = lines[number], line.itemID != 0 else { continue }
        try store.addComment(connection, of: order.id, LineCancellation.comment(line))
      }
    }
    return cancelled.isEmpty ? [] : ["\(cancelled.count) lines cancelled"]
  }

  /// An exchange or a reshipment, which the OMS has made: the shop has no such order (connector.md §2.10).
  private func takeIn(
    _ store: SalesStore, _ connection: Connection, _ status: OrderStatus, _ now: Int64
  ) throws -> String {
    var foreign = SalesOrder(incrementID: order.id, exportState: .foreign, createdAt: now)
    foreign.channel = order.store
    foreign.currency = order.payments.first?.currency ?? order.lines.first?.amount?.currency ?? ""
    foreign.originalOrderID = order.originalOrderId
    foreign.createdAt = OrderLimits.time(order.originDate) ?? now
    foreign.omsStatus = status.code
    foreign.omsStatusReason = status.reason
    foreign.omsStatusAt = OrderLimits.time(order.statusDate)
    var lines: [SalesLine] = []
    for said in order.lines {
      guard let kind = SoldItem.Kind(rawValue: said.productType.uppercased()) else { continue }
      var line = SalesLine(number: Int(said.lineNumber), kind: kind, sku: said.sku)
      line.name = said.productName
      line.parent = Int(said.parentLineNumber)
      line.quantity = said.quantity.flatMap { Decimal($0) } ?? 1
      line.gross = said.amount?.grossAmount.flatMap { Decimal($0) } ?? 0
      line.tax = said.amount?.taxAmount.flatMap { Decimal($0) } ?? 0
      line.status = OrderStatus(code: said.status).code
      line.sourceID = said.sourceId
      lines.append(line)
    }
    foreign.grandTotal = lines.map(\.gross).sum()
    guard foreign.grandTotal.magnitude <= .limit else {
      throw RPCError.invalid(
        field: "order.lines", "the lines of order \(order.id) cost \(foreign.grandTotal); at most \(Decimal.limit)")
    }
    try store.save(connection, foreign, now: now)
    try store.save(connection, lines, of: order.id)
    if try store.order(connection, order.originalOrderId)?.entityID ?? 0 != 0 {
      try store.addComment(
        connection, of: order.originalOrderId,
        "OMS: order \(order.id) was made for this one, an exchange or a reshipment")
      try store.orderQueue.add(connection, order.originalOrderId)
    }
    return "taken in, for order \(quotable(order.originalOrderId))"
  }
}
