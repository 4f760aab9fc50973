import Messages
import ServiceKit

extension StockSnapshot {
  /// Reads the params of `magento.inventory.aggregate_stock_management.updated`.
  ///
  /// - Throws: `MessageError` when they are not JSON or not of this form, ``SnapshotError`` when the message as a whole
  ///   is bad. A row of a wrong form is an invalid row, like any other bad one.
  init(busParams json: [UInt8]) throws {
    let params = try JSONDocument(parsing: json).root
    let message: Magento.Oms.V1.AggregateStockUpdated
    do throws(MessageError) {
      message = try Magento.Oms.V1.AggregateStockUpdated(json: params)
    } catch {
      guard case .unfit(let field, _, _) = error, field.hasPrefix("snapshot.stock[") else { throw error }
      try self.init(rowByRow: params)
      return
    }
    try self.init(message.snapshot, hasRows: params["snapshot"]?["stock"]?.kind == .array)
  }

  /// The slow way, which says of each row whether it has the right form.
  private init(rowByRow params: JSONValue) throws {
    guard let snapshot = params["snapshot"], let rows = snapshot["stock"]?.elements else {
      throw SnapshotError("snapshot is missing; send aggregate_id, mode, created_on and stock in it", field: "snapshot")
    }
    let head = try Magento.Oms.V1.AggregateSnapshot(json: Self.withoutRows(snapshot))
    var builder = try SnapshotBuilder(head, rowCount: rows.count)
    for row in rows {
      do throws(MessageError) {
        builder.add(try Magento.Oms.V1.AggregateStockRow(json: row))
      } catch {
        let sku = row["sku"]?.scalar ?? ""
        if case .unfit("quantity", let value, _) = error {
          builder.add(sku: sku, quantity: .notWhole(value), unlimited: false)
        } else {
          builder.addUnreadable(sku: sku, reason: error.description)
        }
      }
    }
    self = builder.build()
  }

  private static func withoutRows(_ snapshot: JSONValue) throws(MessageError) -> JSONValue {
    let members = ["aggregate_id", "mode", "created_on"].compactMap { name in
      snapshot[name].map { "\"\(name)\":\($0.text)" }
    }
    return try JSONDocument(parsing: Array("{\(members.joined(separator: ","))}".utf8)).root
  }

  /// A snapshot of the bus (messages.md §4.3).
  ///
  /// - Parameter hasRows: whether the list of rows is there. Without it nothing is known, whereas a NONZERO with an empty
  ///   list says that nothing is in stock.
  private init(_ message: Magento.Oms.V1.AggregateSnapshot?, hasRows: Bool) throws {
    guard let message else {
      throw SnapshotError("snapshot is missing; send aggregate_id, mode, created_on and stock in it", field: "snapshot")
    }
    var builder = try SnapshotBuilder(message, rowCount: message.stock.count)
    guard hasRows else {
      throw SnapshotError(
        "snapshot \(quotable(message.aggregateId)): stock is missing; send the list of rows, [] when there are none",
        field: "snapshot.stock")
    }
    for row in message.stock { builder.add(row) }
    self = builder.build()
  }
}

extension SnapshotBuilder {
  fileprivate init(_ message: Magento.Oms.V1.AggregateSnapshot, rowCount: Int) throws(SnapshotError) {
    try Self.check(aggregateId: message.aggregateId)
    try self.init(
      aggregateId: message.aggregateId, mode: SnapshotMode(message.mode, of: message.aggregateId),
      createdOn: CreatedOn(message.createdOn, of: message.aggregateId), rowCount: rowCount)
  }

  fileprivate mutating func add(_ row: Magento.Oms.V1.AggregateStockRow) {
    add(sku: row.sku, quantity: RowQuantity(text: row.quantity), unlimited: row.unlimited)
  }
}
