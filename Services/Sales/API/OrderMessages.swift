import Commerce
import Messages

// From the store to the messages of the API.

extension Omsconnector.V1.Order {
  init(
    _ order: SalesOrder, lines: [SalesLine] = [], attributes: [(name: String, value: String)] = [],
    documents: [NotedDocument] = [], payments: [StuckPayment] = []
  ) {
    self.init(
      incrementId: order.incrementID, entityId: order.entityID, exportState: .init(order.exportState),
      reason: ([order.reason, order.attention] + payments.map(\.text)).filter { !$0.isEmpty }.joined(separator: "; "),
      needsAttention: order.needsAttention || !payments.isEmpty, omsStatus: order.omsStatus,
      omsStatusReason: order.omsStatusReason,
      omsStatusAt: order.omsStatusAt.map { .init(nanosecondsSinceEpoch: $0) }, currency: order.currency,
      grandTotal: order.grandTotal.message, createdAt: .init(nanosecondsSinceEpoch: order.createdAt),
      exportedAt: order.sentAt.map { .init(nanosecondsSinceEpoch: $0) }, salesChannel: order.channel,
      originalOrderId: order.originalOrderID, lines: lines.map { .init($0) },
      documents: documents.map { .init(kind: $0.kind, reason: $0.purpose, entityId: $0.entityID) },
      attributes: attributes.map { .init(name: $0.name, value: $0.value) })
  }
}

extension Omsconnector.V1.OrderLine {
  init(_ line: SalesLine) {
    self.init(
      lineNumber: Int32(clamping: line.number), orderItemId: line.itemID, sku: line.sku, name: line.name,
      productType: line.kind.rawValue, quantity: line.quantity.message, grossAmount: line.gross.message,
      taxAmount: line.tax.message, parentLineNumber: Int32(clamping: line.parent), status: line.status,
      sourceId: line.sourceID, shipmentRequestId: line.shipmentRequestID, shipped: line.shippedAt != nil,
      cancelled: line.cancelledAt != nil,
      attributes: line.attributes.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: $0.value) })
  }
}

extension Omsconnector.V1.OrderExportState {
  init(_ state: ExportState) { self.init(rawValue: Int32(clamping: state.rawValue)) }
}

extension ExportState {
  /// nil for none that is known.
  init?(_ state: Omsconnector.V1.OrderExportState) { self.init(rawValue: Int64(state.rawValue)) }
}
