import Commerce
import Storage

/// How far an order has come on its way to the OMS. The numbers are stored, and are those of `OrderExportState`.
enum ExportState: Int64, Sendable, CaseIterable {
  /// Waits for what the order's reason says.
  case held = 1
  /// Sent, not yet confirmed.
  case sent = 2
  /// The OMS has it, and owns it.
  case accepted = 3
  /// The OMS refused it.
  case failed = 4
  /// Sent, and not confirmed in time.
  case unconfirmed = 5
  /// Made by the OMS: an exchange or a reshipment. The shop has none.
  case foreign = 6

  /// Whether the OMS may have it: the shop must not change it any more.
  var isWithOMS: Bool { self != .held && self != .failed }
}

/// An order in the store, without its lines.
struct SalesOrder: Sendable, Equatable {
  /// Magento's increment id; the OMS's id of the order.
  var incrementID: String
  /// 0 of an order that the shop does not have.
  var entityID: Int64 = 0
  /// Codes.
  var website = ""
  var storeView = ""
  /// The OMS's sales channel; empty while the website is not mapped.
  var channel = ""
  /// ISO 4217.
  var currency = ""
  var baseCurrency = ""
  /// From the base currency to the order's.
  var baseToOrderRate: Decimal = 1
  var grandTotal: Decimal = 0
  var paymentMethod = ""
  /// nil while the method is not mapped.
  var captureModel: Mapping.CaptureModel?
  var isVirtual = false
  var exportState: ExportState
  /// Why it is held, failed or unconfirmed.
  var reason = ""
  /// What an operator has to look at on the shop's side; empty for nothing.
  var attention = ""
  /// As the OMS last said; empty before.
  var omsStatus = ""
  var omsStatusReason = ""
  /// This and the other times: nanoseconds since 1970.
  var omsStatusAt: Int64?
  /// When it arrived here.
  var omsStatusReceivedAt: Int64?
  var createdAt: Int64
  var sentAt: Int64?
  var acceptedAt: Int64?
  /// Of the last `create`.
  var deliveryID = ""
  /// The order that it is an exchange, a reshipment or an edited version of.
  var originalOrderID = ""
  /// SHA-256 of the shop's order as it was last seen, by which a change is known; empty when the shop has none.
  var shopDigest: [UInt8] = []
  /// Of the row.
  var updatedAt: Int64 = 0

  /// Whether an operator has to look at it.
  var needsAttention: Bool { !attention.isEmpty || exportState == .failed || exportState == .unconfirmed }
}

extension SalesOrder {
  static let columns = """
    increment_id, entity_id, website, store_view, channel, currency, base_currency, base_to_order_rate, grand_total, \
    payment_method, capture_model, is_virtual, export_state, reason, attention, oms_status, oms_status_reason, \
    oms_status_at, created_at, sent_at, accepted_at, delivery_id, original_order_id, shop_digest, updated_at, \
    oms_status_received_at
    """

  /// The current row of a statement that selects ``columns``.
  init(_ row: Statement) throws(StorageError) {
    incrementID = row.text(0)
    entityID = row.integer(1)
    website = row.text(2)
    storeView = row.text(3)
    channel = row.text(4)
    currency = row.text(5)
    baseCurrency = row.text(6)
    baseToOrderRate = try row.decimal(7)
    grandTotal = try row.decimal(8)
    paymentMethod = row.text(9)
    captureModel = row.text(10).isEmpty ? nil : try row.value(10, of: "the capture model of order \(row.text(0))")
    isVirtual = row.bool(11)
    exportState = try row.value(12, of: "the export state of order \(row.text(0))")
    reason = row.text(13)
    attention = row.text(14)
    omsStatus = row.text(15)
    omsStatusReason = row.text(16)
    omsStatusAt = row.optionalInteger(17)
    createdAt = row.integer(18)
    sentAt = row.optionalInteger(19)
    acceptedAt = row.optionalInteger(20)
    deliveryID = row.text(21)
    originalOrderID = row.text(22)
    shopDigest = row.blob(23)
    updatedAt = row.integer(24)
    omsStatusReceivedAt = row.optionalInteger(25)
  }

  /// Binds ``columns`` as the parameters 1 to 25.
  func bind(_ statement: Statement) throws(StorageError) {
    try statement.bind(incrementID, at: 1)
    try statement.bind(entityID, at: 2)
    try statement.bind(website, at: 3)
    try statement.bind(storeView, at: 4)
    try statement.bind(channel, at: 5)
    try statement.bind(currency, at: 6)
    try statement.bind(baseCurrency, at: 7)
    try statement.bind(baseToOrderRate.text, at: 8)
    try statement.bind(grandTotal.text, at: 9)
    try statement.bind(paymentMethod, at: 10)
    try statement.bind(captureModel?.rawValue ?? "", at: 11)
    try statement.bind(isVirtual, at: 12)
    try statement.bind(exportState.rawValue, at: 13)
    try statement.bind(reason, at: 14)
    try statement.bind(attention, at: 15)
    try statement.bind(omsStatus, at: 16)
    try statement.bind(omsStatusReason, at: 17)
    try statement.bind(omsStatusAt, at: 18)
    try statement.bind(createdAt, at: 19)
    try statement.bind(sentAt, at: 20)
    try statement.bind(acceptedAt, at: 21)
    try statement.bind(deliveryID, at: 22)
    try statement.bind(originalOrderID, at: 23)
    try statement.bind(shopDigest, at: 24)
    try statement.bind(updatedAt, at: 25)
    try statement.bind(omsStatusReceivedAt, at: 26)
  }
}

extension Statement {
  /// A number that is kept as text.
  func decimal(_ column: Int32) throws(StorageError) -> Decimal {
    guard let number = Decimal(text(column)) else {
      throw StorageError(.corrupt, "\"\(text(column).prefix(40))\" is stored where a number belongs")
    }
    return number
  }

  /// nil for NULL.
  func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
}
