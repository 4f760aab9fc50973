/// A snapshot that has been checked: what the store applies in one transaction.
///
/// Made by ``SnapshotBuilder`` only, so that nothing unchecked reaches the store.
struct StockSnapshot: Sendable {
  let aggregateId: String
  let mode: SnapshotMode
  let createdOn: CreatedOn
  /// Valid rows in the order of their SKUs' bytes; rows of one SKU stay in the order of the message, so the last wins.
  /// Every replica writes in this order.
  let rows: [StockRow]
  /// Rows without an effect.
  let invalid: Int
  /// The first of them, at most ``SnapshotLimits/reportedRows``.
  let invalidRows: [RowIssue]
  /// SKUs that invalid rows name. A NONZERO has not left them out, so it doesn't zero them.
  let namedByInvalidRows: [String]

  /// What it is, without its rows.
  struct Head: Sendable {
    let aggregateId: String
    let createdOn: CreatedOn
  }

  var head: Head { Head(aggregateId: aggregateId, createdOn: createdOn) }

  /// How much of a commit it takes.
  var weight: Int { max(1, rows.count) }
}

/// A valid row.
struct StockRow: Sendable, Equatable {
  let sku: String
  /// As it came, so possibly negative.
  let quantity: Int64
  let unlimited: Bool
  /// In the message, from 0.
  let index: Int32
}

/// A row that was not applied as it stood.
struct RowIssue: Sendable, Equatable {
  /// In the message, from 0.
  let row: Int
  let sku: String
  let aggregateId: String
  /// What is wrong, with the value, and what to send instead.
  let reason: String
}

/// What one message may hold.
enum SnapshotLimits {
  /// Rows of one message (the OMS's own limit for a snapshot).
  static let rows = 10_000
  /// Bytes of a SKU in UTF-8. The OMS sets none; Magento's is 64 characters. It bounds a key of the store and a page.
  static let skuBytes = 1_024
  /// Bytes of an aggregate's id in UTF-8.
  static let aggregateIdBytes = 1_024
  /// Rows that a reply names per kind.
  static let reportedRows = 1_000
}

/// Why a whole message can never be applied: names the snapshot, the value and what is allowed.
struct SnapshotError: Error, Equatable, CustomStringConvertible {
  let description: String
  /// The field that is wrong, as a path from the request.
  let field: String

  init(_ description: String, field: String) {
    self.description = description
    self.field = field
  }
}
