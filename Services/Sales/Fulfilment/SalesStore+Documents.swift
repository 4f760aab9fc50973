import Storage

/// An invoice, a shipment or a credit memo of the shop that the connector knows of.
struct NotedDocument: Equatable, Hashable, Sendable {
  /// invoice, shipment or creditmemo.
  var kind: String
  /// Magento's.
  var entityID: Int64
  /// Of the connector's: the comment that marks it; empty of what people made though the OMS owned the order.
  var purpose: String

  /// Made before the OMS had the order, or seen by an operator.
  static let acknowledged = "made in the shop"

  /// What an operator has to know of it; nil for nothing.
  var warning: String? {
    purpose.isEmpty ? "\(kind) \(entityID) was made in the shop, though the OMS owns the order" : nil
  }
}

/// Documents of the shop that were seen. See ``SalesStore`` about connections.
extension SalesStore {
  /// What the shop has made for an order, as far as it was looked at.
  func documents(_ connection: Connection, of incrementID: String) throws -> [NotedDocument] {
    try connection.withStatement(
      "SELECT kind, entity_id, purpose FROM sales_document WHERE increment_id = ?1 ORDER BY kind, entity_id"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      var documents: [NotedDocument] = []
      while try statement.step() {
        documents.append(.init(kind: statement.text(0), entityID: statement.integer(1), purpose: statement.text(2)))
      }
      return documents
    }
  }

  /// - Returns: false when it was noted before.
  @discardableResult
  func note(_ connection: Connection, of incrementID: String, _ document: NotedDocument, now: Int64) throws -> Bool {
    try connection.withStatement(
      """
      INSERT INTO sales_document (increment_id, kind, entity_id, purpose, noted_at) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (increment_id, kind, entity_id) DO NOTHING
      """
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(document.kind, at: 2)
      try statement.bind(document.entityID, at: 3)
      try statement.bind(document.purpose, at: 4)
      try statement.bind(now, at: 5)
      return try statement.run() == 1
    }
  }

  /// An operator has seen what people made in the shop.
  func acknowledgeDocuments(_ connection: Connection, of incrementID: String) throws {
    try connection.withStatement(
      "UPDATE sales_document SET purpose = ?2 WHERE increment_id = ?1 AND purpose = ''"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(NotedDocument.acknowledged, at: 2)
      _ = try statement.run()
    }
  }
}
