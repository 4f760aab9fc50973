import Messages
import ServiceKit

// From the messages of the API and of the bus to the domain, and back.

extension StockSnapshot {
  /// A snapshot of the public API.
  ///
  /// - Throws: ``SnapshotError`` when the message as a whole is bad.
  init(_ message: Omsconnector.V1.StockSnapshot?) throws(SnapshotError) {
    guard let message else {
      throw SnapshotError("snapshot is missing; send aggregate_id, mode, created_on and stock in it", field: "snapshot")
    }
    try SnapshotBuilder.check(aggregateId: message.aggregateId)
    var builder = try SnapshotBuilder(
      aggregateId: message.aggregateId, mode: SnapshotMode(message.mode, of: message.aggregateId),
      createdOn: CreatedOn(message.createdOn, of: message.aggregateId), rowCount: message.stock.count)
    for row in message.stock {
      builder.add(sku: row.sku, quantity: RowQuantity(row.quantity), unlimited: row.unlimited)
    }
    self = builder.build()
  }
}

extension SnapshotMode {
  private static var field: String { "snapshot.mode" }
  private static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

  init(_ mode: Omsconnector.V1.SnapshotMode, of aggregateId: String) throws(SnapshotError) {
    switch mode {
    case .full: self = .full
    case .delta: self = .delta
    case .nonzero: self = .nonzero
    case .unspecified:
      throw SnapshotError(
        "snapshot \(quotable(aggregateId)): mode is missing; send one of \(Self.names)", field: Self.field)
    default:
      throw SnapshotError(
        "snapshot \(quotable(aggregateId)): mode \(mode.rawValue) is not one of \(Self.names)", field: Self.field)
    }
  }

  init(_ mode: String, of aggregateId: String) throws(SnapshotError) {
    guard let known = SnapshotMode(rawValue: mode) else {
      throw SnapshotError(
        mode.isEmpty
          ? "snapshot \(quotable(aggregateId)): mode is missing; send one of \(Self.names)"
          : "snapshot \(quotable(aggregateId)): mode \"\(quotable(mode))\" is not one of \(Self.names)",
        field: Self.field)
    }
    self = known
  }
}

extension CreatedOn {
  private static var field: String { "snapshot.created_on" }

  /// - Parameter message: what holds it, for the error.
  init(
    _ time: Google.Protobuf.Timestamp?, of id: String, in message: String = "snapshot"
  ) throws(SnapshotError) {
    let field = "\(message).created_on"
    guard let time else {
      throw SnapshotError(
        "\(message) \(quotable(id)): created_on is missing; send when the quantities were true", field: field)
    }
    guard let value = CreatedOn(seconds: time.seconds, nanoseconds: Int64(time.nanos)) else {
      let text = time.isValid ? time.text : "\(time.seconds) s \(time.nanos) ns"
      throw SnapshotError(
        "\(message) \(quotable(id)): created_on \(text) is not between the years 1970 and 2262", field: field)
    }
    self = value
  }

  init(_ text: String, of aggregateId: String) throws(SnapshotError) {
    let time: Google.Protobuf.Timestamp?
    do {
      time = text.isEmpty ? nil : try Google.Protobuf.Timestamp(parsing: text)
    } catch {
      throw SnapshotError(
        "snapshot \(quotable(aggregateId)): created_on \"\(quotable(text))\" is no date and time; "
          + "send e.g. 2026-03-01T10:00:00+00:00",
        field: Self.field)
    }
    try self.init(time, of: aggregateId)
  }
}

extension Google.Protobuf.Timestamp {
  init(_ time: CreatedOn) { self.init(nanosecondsSinceEpoch: time.nanoseconds) }
}

extension Omsconnector.V1.StockRowIssue {
  init(_ issue: RowIssue) {
    self.init(row: Int64(issue.row), sku: issue.sku, aggregateId: issue.aggregateId, reason: issue.reason)
  }
}

extension Omsconnector.V1.Stock {
  init(_ stock: Stock) {
    self.init(
      sku: stock.sku, aggregateId: stock.aggregateId, quantity: stock.quantity, unlimited: stock.unlimited,
      createdOn: Google.Protobuf.Timestamp(stock.createdOn))
  }
}

extension Omsconnector.V1.ApplyStockSnapshotResponse {
  init(_ outcome: SnapshotOutcome) {
    self.init(
      applied: Int64(outcome.applied), stale: Int64(outcome.stale), clamped: Int64(outcome.clamped),
      invalid: Int64(outcome.invalid), zeroed: Int64(outcome.zeroed),
      clampedRows: outcome.clampedRows.map { .init($0) }, invalidRows: outcome.invalidRows.map { .init($0) })
  }
}

extension Omsconnector.V1.StreamStockSnapshotsResponse {
  init(_ outcome: SnapshotOutcome, snapshots: Int) {
    self.init(
      applied: Int64(outcome.applied), stale: Int64(outcome.stale), clamped: Int64(outcome.clamped),
      invalid: Int64(outcome.invalid), zeroed: Int64(outcome.zeroed),
      clampedRows: outcome.clampedRows.map { .init($0) }, invalidRows: outcome.invalidRows.map { .init($0) },
      snapshots: Int64(snapshots))
  }
}
