import Commerce
import Messages
import Storage

/// A step that the shop was asked for, noted before it was: what a crash or a lost answer leaves behind.
struct BegunStep: Equatable, Sendable {
  enum Kind: String, Sendable {
    case invoice, shipment, cancellation
  }

  var kind: Kind
  /// The comment by which it is found in the shop.
  var marker: String
  /// Whether the shop was asked for money.
  var captures: Bool
  /// Before it: captures that the shop knew of, and what was paid.
  var knownCaptures: Int
  var totalPaid: Decimal
  /// Of an invoice, what it is to come to by the lines' prices, in the order's currency.
  var amount: Decimal
  /// Nanoseconds since 1970.
  var begunAt: Int64
}

/// What the shop has to do for orders, and has done. See ``SalesStore`` about connections.
extension SalesStore {
  /// The order as the shop is to follow it; nil when there is none in the shop, or it was never sent.
  func ledger(_ connection: Connection, _ incrementID: String, _ mapping: Mapping) throws -> FulfilmentLedger? {
    guard let order = try order(connection, incrementID), order.entityID != 0, order.exportState != .held else {
      return nil
    }
    let model = order.captureModel ?? .offlineCaptured
    return FulfilmentLedger(
      incrementID: incrementID, entityID: order.entityID, isWithOMS: order.exportState == .accepted,
      website: order.website,
      payment: mapping.payments[order.paymentMethod] ?? .init(model: model), createdAt: order.createdAt,
      status: OrderStatus(code: order.omsStatus, reason: order.omsStatusReason), statusAt: order.omsStatusAt ?? 0,
      statusReceivedAt: order.omsStatusReceivedAt ?? order.omsStatusAt ?? 0,
      lines: try lines(connection, of: incrementID).map { FulfilmentLedger.Line($0) },
      shipments: try parcels(connection, of: incrementID), comments: try comments(connection, of: incrementID))
  }

  // MARK: Parcels

  /// In the order in which they arrived.
  func parcels(_ connection: Connection, of incrementID: String) throws -> [FulfilmentLedger.Shipment] {
    try connection.withStatement(
      """
      SELECT parcel_key, tracks, done_at FROM sales_parcel WHERE increment_id = ?1 ORDER BY received_at, parcel_key
      """
    ) { statement in
      try statement.bind(incrementID, at: 1)
      var parcels: [FulfilmentLedger.Shipment] = []
      while try statement.step() {
        parcels.append(
          .init(
            key: statement.text(0), tracks: try TrackText.tracks(in: statement.text(1)),
            isDone: !statement.isNull(2)))
      }
      return parcels
    }
  }

  /// - Returns: false when there is one with that key.
  func addParcel(
    _ connection: Connection, of incrementID: String, _ parcel: FulfilmentLedger.Shipment, now: Int64
  ) throws -> Bool {
    try connection.withStatement(
      """
      INSERT INTO sales_parcel (increment_id, parcel_key, tracks, received_at, done_at) VALUES (?1, ?2, ?3, ?4, NULL)
      ON CONFLICT (increment_id, parcel_key) DO NOTHING
      """
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(parcel.key, at: 2)
      try statement.bind(TrackText.text(of: parcel.tracks), at: 3)
      try statement.bind(now, at: 4)
      return try statement.run() == 1
    }
  }

  /// The shop has all of a parcel.
  func finishParcel(_ connection: Connection, of incrementID: String, _ key: String, now: Int64) throws {
    try connection.withStatement(
      "UPDATE sales_parcel SET done_at = ?3 WHERE increment_id = ?1 AND parcel_key = ?2 AND done_at IS NULL"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(key, at: 2)
      try statement.bind(now, at: 3)
      _ = try statement.run()
    }
  }

  /// The shop counts these lines as sold and not sent no more.
  func closeLines(_ connection: Connection, of incrementID: String, _ numbers: [Int], now: Int64) throws {
    try connection.withStatement(
      "UPDATE sales_line SET shop_done_at = ?3 WHERE increment_id = ?1 AND line_number = ?2 AND shop_done_at IS NULL"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(now, at: 3)
      for number in numbers {
        try statement.bind(Int64(number), at: 2)
        _ = try statement.run()
      }
    }
  }

  // MARK: Comments

  /// Comments of one order that wait; more are left out, the newest first.
  static let commentLimit = 200

  private func comments(_ connection: Connection, of incrementID: String) throws -> [FulfilmentLedger.Comment] {
    try connection.withStatement(
      "SELECT number, content FROM sales_comment WHERE increment_id = ?1 ORDER BY number LIMIT 20"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      var comments: [FulfilmentLedger.Comment] = []
      while try statement.step() { comments.append(.init(id: statement.integer(0), text: statement.text(1))) }
      return comments
    }
  }

  /// To be said on the order in the shop. The number comes from the order's own row of them: no sequence is needed.
  func addComment(_ connection: Connection, of incrementID: String, _ text: String) throws {
    let (count, last) = try connection.withStatement(
      "SELECT COUNT(*), COALESCE(MAX(number), 0) FROM sales_comment WHERE increment_id = ?1"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      return try statement.step() ? (statement.integer(0), statement.integer(1)) : (0, 0)
    }
    guard count < Self.commentLimit else { return }
    try connection.withStatement(
      "INSERT INTO sales_comment (increment_id, number, content) VALUES (?1, ?2, ?3)"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(last + 1, at: 2)
      try statement.bind(String(text.prefix(1_000)), at: 3)
      _ = try statement.run()
    }
  }

  func removeComment(_ connection: Connection, of incrementID: String, _ id: Int64) throws {
    try connection.withStatement("DELETE FROM sales_comment WHERE increment_id = ?1 AND number = ?2") { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(id, at: 2)
      _ = try statement.run()
    }
  }

  // MARK: Steps under way

  /// nil when nothing is under way.
  func begunStep(_ connection: Connection, of incrementID: String) throws -> BegunStep? {
    try connection.withStatement(
      """
      SELECT kind, marker, captures, known_captures, total_paid, begun_at, amount FROM sales_step WHERE increment_id = ?1
      """
    ) { statement in
      try statement.bind(incrementID, at: 1)
      guard try statement.step() else { return nil }
      guard let kind = BegunStep.Kind(rawValue: statement.text(0)) else {
        throw StorageError(.corrupt, "order \(incrementID) has begun \"\(statement.text(0).prefix(40))\"")
      }
      return BegunStep(
        kind: kind, marker: statement.text(1), captures: statement.bool(2), knownCaptures: Int(statement.integer(3)),
        totalPaid: try statement.decimal(4), amount: try statement.decimal(6), begunAt: statement.integer(5))
    }
  }

  func begin(_ connection: Connection, of incrementID: String, _ step: BegunStep) throws {
    try connection.withStatement(
      """
      INSERT INTO sales_step (increment_id, kind, marker, captures, known_captures, total_paid, begun_at, amount)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
      """
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(step.kind.rawValue, at: 2)
      try statement.bind(step.marker, at: 3)
      try statement.bind(step.captures, at: 4)
      try statement.bind(Int64(step.knownCaptures), at: 5)
      try statement.bind(step.totalPaid.text, at: 6)
      try statement.bind(step.begunAt, at: 7)
      try statement.bind(step.amount.text, at: 8)
      _ = try statement.run()
    }
  }

  func endStep(_ connection: Connection, of incrementID: String) throws {
    try connection.withStatement("DELETE FROM sales_step WHERE increment_id = ?1") { statement in
      try statement.bind(incrementID, at: 1)
      _ = try statement.run()
    }
  }

  // MARK: Documents

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

extension FulfilmentLedger.Line {
  init(_ line: SalesLine) {
    self.init(
      number: line.number, gross: line.gross, itemID: line.itemID == 0 ? nil : line.itemID,
      parent: line.parent == 0 ? nil : line.parent,
      sku: line.sku, kind: line.kind, quantity: line.quantity, shipsTogether: line.shipsTogether,
      shippedBy: line.shippedAt == nil ? nil : line.shipmentRequestID, isCancelled: line.cancelledAt != nil,
      isSaidShipped: line.status == "SHIPPED")
  }
}

/// Tracks as a JSON array of pairs.
enum TrackText {
  static func text(of tracks: [FulfilmentLedger.Track]) -> String {
    let parts = tracks.map { "[\(JSONText.quoted($0.number)),\(JSONText.quoted($0.title))]" }
    return "[\(parts.joined(separator: ","))]"
  }

  static func tracks(in text: String) throws(StorageError) -> [FulfilmentLedger.Track] {
    do throws(MessageError) {
      return try (JSONDocument(parsing: Array(text.utf8)).root.elements ?? []).map { pair in
        let parts = (pair.elements ?? []).map { $0.string ?? "" }
        return FulfilmentLedger.Track(number: parts.first ?? "", title: parts.last ?? "")
      }
    } catch {
      throw StorageError(.corrupt, "tracks are stored that are no JSON: \(error)")
    }
  }
}
