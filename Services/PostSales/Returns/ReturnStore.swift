import ServiceKit
import Storage

/// Returns in the store. To be called within a body of ``Database``.
struct ReturnStore: Sendable {
  func find(key: String, _ connection: Connection) throws -> ReturnRecord? {
    try select("WHERE key = ?1", connection) { try $0.bind(key, at: 1) }.first
  }

  func find(rma: String, _ connection: Connection) throws -> ReturnRecord? {
    rma.isEmpty ? nil : try select("WHERE rma = ?1", connection) { try $0.bind(rma, at: 1) }.first
  }

  func find(entityID: Int64, _ connection: Connection) throws -> ReturnRecord? {
    entityID == 0 ? nil : try select("WHERE entity_id = ?1", connection) { try $0.bind(entityID, at: 1) }.first
  }

  /// That which the OMS was asked for by this message.
  func find(deliveryID: String, _ connection: Connection) throws -> ReturnRecord? {
    guard !deliveryID.isEmpty, !hasNUL(deliveryID) else { return nil }
    return try select("WHERE delivery_id = ?1 AND delivery_id <> ''", connection) { try $0.bind(deliveryID, at: 1) }
      .first
  }

  func returns(ofOrder incrementID: String, _ connection: Connection) throws -> [ReturnRecord] {
    try select("WHERE increment_id = ?1 ORDER BY created_at, key", connection) { try $0.bind(incrementID, at: 1) }
  }

  /// Whether the connector has made a return of the shop: its mark is then that of one that the OMS has told of.
  func hasMade(_ made: ShopReturn, _ connection: Connection) throws -> Bool {
    try made.marks.contains { try find(rma: $0, connection) != nil }
  }

  /// The return that a message is about: that with its id; else one that was asked for and not answered yet, by the name that the
  /// shop gave it or with the same lines of the order (messages.md §4.8).
  func match(_ notice: ReturnNotice, _ connection: Connection) throws -> ReturnRecord? {
    if let known = try find(rma: notice.rma, connection) { return known }
    let open = try returns(ofOrder: notice.incrementID, connection).filter { $0.rma.isEmpty }
    if let named = open.first(where: { $0.shopNumber == notice.rma }) { return named }
    // Of one that the OMS was not asked for the lines are not known.
    let asked = open.filter { !$0.lines.isEmpty }
    let units = notice.lines.map(\.number).sorted()
    return asked.first { $0.lines.map(\.number).sorted() == units }
      ?? asked.first { $0.numbers == notice.numbers } ?? asked.first { !$0.numbers.isDisjoint(with: notice.numbers) }
  }

  /// A page, the newest first.
  func page(
    needsAttention: Bool, before: (createdAt: Int64, key: String)?, limit: Int, _ connection: Connection
  ) throws -> [ReturnRecord] {
    let place = before ?? (.max, "")
    return try select(
      """
      WHERE needs_attention >= ?4 AND (created_at < ?1 OR (created_at = ?1 AND key < ?2))
      ORDER BY created_at DESC, key DESC LIMIT ?3
      """, connection
    ) {
      try $0.bind(place.createdAt, at: 1)
      try $0.bind(place.key, at: 2)
      try $0.bind(Int64(limit), at: 3)
      try $0.bind(needsAttention, at: 4)
    }
  }

  func countOfAttention(_ connection: Connection) throws -> Int {
    try connection.withStatement("SELECT COUNT(*) FROM goods_return WHERE needs_attention = 1") { statement in
      try statement.step() ? Int(statement.integer(0)) : 0
    }
  }

  /// Writes all of it, over what was there.
  ///
  /// - Throws: ``StorageError``: `constraint` when another record has its name, or its return of the shop. Two that are saved at the
  ///   same time don't miss each other: transactions are serializable.
  func save(_ record: ReturnRecord, _ connection: Connection) throws {
    try check(record, connection)
    try connection.withStatement(Self.upsert) { statement in
      try bind(record, statement)
      _ = try statement.run()
    }
    try connection.withStatement("DELETE FROM goods_return_line WHERE key = ?1") { statement in
      try statement.bind(record.key, at: 1)
      _ = try statement.run()
    }
    for (position, line) in record.lines.enumerated() {
      try connection.withStatement(
        """
        INSERT INTO goods_return_line (key, position, line_number, item_id, sku, reason, condition_code, status, quantity)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """
      ) { statement in
        try statement.bind(record.key, at: 1)
        try statement.bind(Int64(position), at: 2)
        try statement.bind(Int64(line.number), at: 3)
        try statement.bind(line.itemID, at: 4)
        try statement.bind(line.sku, at: 5)
        try statement.bind(line.reason, at: 6)
        try statement.bind(line.condition, at: 7)
        try statement.bind(line.status, at: 8)
        try statement.bind(line.quantity?.text ?? "", at: 9)
        _ = try statement.run()
      }
    }
  }

  private func check(_ record: ReturnRecord, _ connection: Connection) throws {
    let other = try connection.withStatement(Self.others) { statement in
      try statement.bind(record.key, at: 1)
      try statement.bind(record.rma, at: 2)
      try statement.bind(record.entityID, at: 3)
      guard try statement.step() else { return "" }
      let key = statement.text(0)
      while try statement.step() {}
      return key
    }
    if other.isEmpty { return }
    throw StorageError(
      .constraint,
      "return \(record.key) is \(record.rma) of the OMS and \(record.entityID) of the shop, one of which is \(other)",
      remedy: "look at both by omsctl returns list")
  }

  private static let others = """
    SELECT key FROM goods_return WHERE key <> ?1 AND rma = ?2 AND rma <> ''
    UNION ALL SELECT key FROM goods_return WHERE key <> ?1 AND entity_id = ?3 AND entity_id <> 0
    """

  private static let columns = """
    key, rma, shop_number, increment_id, entity_id, state, oms_status, oms_reason, status_at, is_blind, reason,
    needs_attention, tracking_number, tracking_carrier, tracking_url, label_url, attributes, delivery_id, attempted_at,
    created_at
    """

  private static let upsert = """
    INSERT INTO goods_return (\(columns))
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
    ON CONFLICT (key) DO UPDATE SET
      rma = excluded.rma, shop_number = excluded.shop_number, entity_id = excluded.entity_id, state = excluded.state,
      oms_status = excluded.oms_status, oms_reason = excluded.oms_reason, status_at = excluded.status_at,
      is_blind = excluded.is_blind, reason = excluded.reason, needs_attention = excluded.needs_attention,
      tracking_number = excluded.tracking_number, tracking_carrier = excluded.tracking_carrier,
      tracking_url = excluded.tracking_url, label_url = excluded.label_url, attributes = excluded.attributes,
      delivery_id = excluded.delivery_id, attempted_at = excluded.attempted_at
    """

  private func bind(_ record: ReturnRecord, _ statement: Statement) throws(StorageError) {
    let texts: [(Int32, String)] = [
      (1, record.key), (2, record.rma), (3, record.shopNumber), (4, record.incrementID), (7, record.omsStatus),
      (8, record.omsReason), (11, record.reason), (13, record.tracking.number), (14, record.tracking.carrier),
      (15, record.tracking.url), (16, record.tracking.labelURL), (17, AttributeText.text(of: record.attributes)),
      (18, record.deliveryID),
    ]
    for (position, text) in texts { try statement.bind(text, at: position) }
    try statement.bind(record.entityID, at: 5)
    try statement.bind(record.state.rawValue, at: 6)
    try statement.bind(record.statusAt, at: 9)
    try statement.bind(record.isBlind, at: 10)
    try statement.bind(record.needsAttention, at: 12)
    try statement.bind(record.attemptedAt, at: 19)
    try statement.bind(record.createdAt, at: 20)
  }

  private func select(
    _ condition: String, _ connection: Connection, _ bind: (Statement) throws -> Void
  ) throws -> [ReturnRecord] {
    let records = try connection.withStatement("SELECT \(Self.columns) FROM goods_return \(condition)") { statement in
      try bind(statement)
      var records: [ReturnRecord] = []
      while try statement.step() { records.append(try Self.record(statement)) }
      return records
    }
    return try records.map { record in
      var record = record
      record.lines = try lines(of: record.key, connection)
      return record
    }
  }

  private static func record(_ statement: Statement) throws -> ReturnRecord {
    var record = ReturnRecord(
      key: statement.text(0), rma: statement.text(1), incrementID: statement.text(3),
      state: try statement.value(5, of: "the state of return \(statement.text(0))"), createdAt: statement.integer(19))
    record.shopNumber = statement.text(2)
    record.entityID = statement.integer(4)
    record.omsStatus = statement.text(6)
    record.omsReason = statement.text(7)
    record.statusAt = statement.integer(8)
    record.isBlind = statement.bool(9)
    record.reason = statement.text(10)
    record.needsAttention = statement.bool(11)
    record.tracking = .init(
      number: statement.text(12), carrier: statement.text(13), url: statement.text(14), labelURL: statement.text(15))
    record.attributes = try AttributeText.attributes(in: statement.text(16))
    record.deliveryID = statement.text(17)
    record.attemptedAt = statement.integer(18)
    return record
  }

  private func lines(of key: String, _ connection: Connection) throws -> [ReturnRecord.Line] {
    try connection.withStatement(
      """
      SELECT line_number, item_id, sku, reason, condition_code, status, quantity FROM goods_return_line WHERE key = ?1
      ORDER BY position
      """
    ) { statement in
      try statement.bind(key, at: 1)
      var lines: [ReturnRecord.Line] = []
      while try statement.step() {
        lines.append(
          .init(
            number: Int(statement.integer(0)), itemID: statement.integer(1), sku: statement.text(2),
            reason: statement.text(3), condition: statement.text(4), status: statement.text(5),
            quantity: statement.text(6).isEmpty ? nil : try StoredDecimal.read(statement, 6)))
      }
      return lines
    }
  }
}
