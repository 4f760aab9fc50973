import Messages
import ServiceKit
import Storage

// From the messages of the API to the domain, and from there to those of the bus.

extension SourceSnapshot {
  /// - Throws: ``SnapshotError`` when the message as a whole is bad.
  init(_ message: Omsconnector.V1.SourceStockSnapshot?) throws(SnapshotError) {
    guard let message else {
      throw SnapshotError("snapshot is missing; send source_id, mode, created_on and stock in it", field: "snapshot")
    }
    try checkSource(message.sourceId, of: "snapshot")
    var builder = SourceSnapshotBuilder(
      sourceID: message.sourceId, mode: try SnapshotMode(message.mode, of: message.sourceId),
      createdOn: try CreatedOn(message.createdOn, of: message.sourceId))
    for row in message.stock {
      builder.add(sku: row.sku, quantity: RowQuantity(row.quantity), unlimited: row.unlimited)
    }
    self = try builder.build()
  }

  /// For the outbox. The parts of one snapshot say how many they are: the OMS works the whole out when it has all.
  func messages() -> [OutboxMessage] {
    let parts = rows.inParts()
    let processID = parts.count > 1 ? Self.newProcessID() : nil
    return parts.enumerated().map { number, part in
      let update = Magento.Oms.V1.SourceStockUpdate(
        snapshot: .init(
          sourceId: sourceID, mode: mode.rawValue, createdOn: createdOn.busText,
          batch: processID.map {
            .init(processId: $0, processNumber: Int32(number + 1), processTotal: Int32(parts.count))
          },
          stock: part.map { .init(sku: $0.sku, quantity: $0.quantity, unlimited: $0.unlimited) }))
      return .stock(of: sourceID, SendSourceStock.update, update)
    }
  }

  private static func newProcessID() -> String {
    String(UInt64.random(in: .min ... .max), radix: 16) + "-" + String(UInt64.random(in: .min ... .max), radix: 16)
  }
}

extension SourceAdjustment {
  /// - Throws: ``SnapshotError`` when anything is wrong, be it in one row: sent without it, the rest could not be sent again.
  init(_ message: Omsconnector.V1.SourceStockAdjustment?) throws(SnapshotError) {
    guard let message else {
      throw SnapshotError(
        "adjustment is missing; send source_id, reason, created_on and adjustments in it", field: "adjustment")
    }
    try checkSource(message.sourceId, of: "adjustment")
    let createdOn = try CreatedOn(message.createdOn, of: message.sourceId, in: "adjustment")
    var rows: [StockRow] = []
    rows.reserveCapacity(message.adjustments.count)
    for (index, row) in message.adjustments.enumerated() {
      rows.append(try Self.row(row, index, message.sourceId))
    }
    try self.init(sourceID: message.sourceId, reason: message.reason, createdOn: createdOn, rows: rows)
  }

  private static func row(
    _ row: Omsconnector.V1.SourceStockAdjustmentItem, _ index: Int, _ sourceID: String
  ) throws(SnapshotError) -> StockRow {
    func refusal(_ problem: String, _ field: String) -> SnapshotError {
      SnapshotError(
        "adjustment \(quotable(sourceID)): row \(index), SKU \"\(quotable(row.sku))\": \(problem)",
        field: "adjustment.adjustments[\(index)].\(field)")
    }
    if let problem = RowRules.problem(ofSKU: row.sku) { throw refusal(problem, "sku") }
    guard let quantity = row.quantity else {
      throw refusal("quantity is missing; send what is added, negative for what is taken away", "quantity")
    }
    return StockRow(sku: row.sku, quantity: quantity, unlimited: false, index: Int32(truncatingIfNeeded: index))
  }

  /// For the outbox.
  func messages() -> [OutboxMessage] {
    rows.inParts().map { part in
      let adjust = Magento.Oms.V1.SourceStockAdjust(
        adjustment: .init(
          sourceId: sourceID, reason: reason, createdOn: createdOn.busText,
          adjustments: part.map { .init(sku: $0.sku, quantity: $0.quantity) }))
      return .stock(of: sourceID, SendSourceStock.adjust, adjust)
    }
  }
}

extension OutboxMessage {
  /// Messages about one source are delivered in order.
  fileprivate static func stock(of sourceID: String, _ method: String, _ params: some Message) -> OutboxMessage {
    OutboxMessage(
      method: method, key: sourceID, route: .delegate, body: Array(params.json(writesDefaults: true).utf8))
  }
}

extension CreatedOn {
  /// As the bus writes times: with an offset.
  fileprivate var busText: String { Google.Protobuf.Timestamp(self).text.dropLast() + "+00:00" }
}

extension Omsconnector.V1.UpdateSourceStockResponse {
  init(_ snapshot: SourceSnapshot, deliveryIDs: [String]) {
    self.init(
      deliveryIds: deliveryIDs, sent: Int64(snapshot.rows.count), clamped: Int64(snapshot.clamped),
      invalid: Int64(snapshot.invalid), clampedRows: snapshot.clampedRows.map { .init($0) },
      invalidRows: snapshot.invalidRows.map { .init($0) })
  }
}

private func checkSource(_ id: String, of message: String) throws(SnapshotError) {
  if id.isEmpty {
    throw SnapshotError(
      "\(message): source_id is missing; send the id of the OMS's source", field: "\(message).source_id")
  }
  if id.utf8.count > SnapshotLimits.aggregateIdBytes {
    throw SnapshotError(
      "\(message) \(quotable(id)): source_id has \(id.utf8.count) bytes; at most \(SnapshotLimits.aggregateIdBytes)",
      field: "\(message).source_id")
  }
  if hasNUL(id) {
    throw SnapshotError(
      "\(message): source_id has a NUL character; send the id of the OMS's source", field: "\(message).source_id")
  }
}
