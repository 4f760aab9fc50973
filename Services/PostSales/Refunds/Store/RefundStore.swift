import Commerce
import Messages
import ServiceKit
import Storage

/// Refunds in the store. To be called within a body of ``Database``.
struct RefundStore: Sendable {
  func refund(_ creditNote: String, _ connection: Connection) throws -> RefundRecord? {
    let found = try select("WHERE credit_note = ?1", connection) { try $0.bind(creditNote, at: 1) }.first
    return try found.map { try complete($0, connection) }
  }

  /// Those of one order, the oldest first, with their lines and memos.
  func refunds(ofOrder incrementID: String, _ connection: Connection) throws -> [RefundRecord] {
    try select("WHERE increment_id = ?1 ORDER BY due_at, created_at, credit_note", connection) {
      try $0.bind(incrementID, at: 1)
    }.map { try complete($0, connection) }
  }

  /// A page, the newest first, without lines.
  ///
  /// - Parameters:
  ///   - states: only those; all when empty.
  ///   - before: the last one of the page before.
  func page(
    states: [RefundState], before: (createdAt: Int64, creditNote: String)?, limit: Int, _ connection: Connection
  ) throws -> [RefundRecord] {
    // States are numbers of ours, never a client's text.
    let wanted = states.isEmpty ? "1 = 1" : "state IN (\(states.map { "\($0.rawValue)" }.joined(separator: ", ")))"
    let place = before ?? (.max, "")
    return try select(
      """
      WHERE \(wanted) AND (created_at < ?1 OR (created_at = ?1 AND credit_note < ?2))
      ORDER BY created_at DESC, credit_note DESC LIMIT ?3
      """, connection
    ) {
      try $0.bind(place.createdAt, at: 1)
      try $0.bind(place.creditNote, at: 2)
      try $0.bind(Int64(limit), at: 3)
    }
  }

  func count(_ state: RefundState, _ connection: Connection) throws -> Int {
    try connection.withStatement("SELECT COUNT(*) FROM refund WHERE state = ?1") { statement in
      try statement.bind(state.rawValue, at: 1)
      return try statement.step() ? Int(statement.integer(0)) : 0
    }
  }

  /// Writes all of it, over what was there.
  func save(_ record: RefundRecord, _ connection: Connection) throws {
    try connection.withStatement(Self.upsert) { statement in
      try bind(record, statement)
      _ = try statement.run()
    }
    try replaceLines(record, connection)
    for memo in record.memos { try add(memo, of: record.creditNote, connection) }
  }

  private func replaceLines(_ record: RefundRecord, _ connection: Connection) throws {
    try connection.withStatement("DELETE FROM refund_line WHERE credit_note = ?1") { statement in
      try statement.bind(record.creditNote, at: 1)
      _ = try statement.run()
    }
    for line in record.lines {
      try connection.withStatement(
        """
        INSERT INTO refund_line (credit_note, line_number, amount, reason, item_id, sku, is_whole)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """
      ) { statement in
        try statement.bind(record.creditNote, at: 1)
        try statement.bind(Int64(line.number), at: 2)
        try statement.bind(line.amount.text, at: 3)
        try statement.bind(line.reason, at: 4)
        try statement.bind(line.itemID, at: 5)
        try statement.bind(line.sku, at: 6)
        try statement.bind(line.isWhole, at: 7)
        _ = try statement.run()
      }
    }
  }

  private func add(_ memo: RefundRecord.Memo, of creditNote: String, _ connection: Connection) throws {
    try connection.withStatement(
      """
      INSERT INTO refund_memo (credit_note, memo_id, invoice_id, is_online, amount) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (credit_note, memo_id) DO NOTHING
      """
    ) { statement in
      try statement.bind(creditNote, at: 1)
      try statement.bind(memo.id, at: 2)
      try statement.bind(memo.invoiceID, at: 3)
      try statement.bind(memo.isOnline, at: 4)
      try statement.bind(memo.amount.text, at: 5)
      _ = try statement.run()
    }
  }
}

extension RefundStore {
  private static let columns = """
    credit_note, increment_id, state, type, rma, status, status_reason, status_at, amount, currency, refunded, credit,
    is_credited, reason, attributes, is_silent, expected, attempted_at, note, created_at, due_at,
    is_expected_online, refusals
    """

  private static let upsert = """
    INSERT INTO refund (\(columns))
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)
    ON CONFLICT (credit_note) DO UPDATE SET
      state = excluded.state, type = excluded.type, rma = excluded.rma, status = excluded.status,
      status_reason = excluded.status_reason, status_at = excluded.status_at, amount = excluded.amount,
      currency = excluded.currency, refunded = excluded.refunded, credit = excluded.credit,
      is_credited = excluded.is_credited, reason = excluded.reason, attributes = excluded.attributes,
      is_silent = excluded.is_silent, expected = excluded.expected, attempted_at = excluded.attempted_at,
      note = excluded.note, due_at = excluded.due_at, is_expected_online = excluded.is_expected_online,
      refusals = excluded.refusals
    """

  private func bind(_ record: RefundRecord, _ statement: Statement) throws(StorageError) {
    try statement.bind(record.creditNote, at: 1)
    try statement.bind(record.incrementID, at: 2)
    try statement.bind(record.state.rawValue, at: 3)
    try statement.bind(record.type.rawValue, at: 4)
    try statement.bind(record.rma, at: 5)
    try statement.bind(record.status, at: 6)
    try statement.bind(record.statusReason, at: 7)
    try statement.bind(record.statusAt, at: 8)
    try statement.bind(record.amount.text, at: 9)
    try statement.bind(record.currency, at: 10)
    try statement.bind(record.refunded.text, at: 11)
    try statement.bind(record.credit.text, at: 12)
    try statement.bind(record.isCredited, at: 13)
    try statement.bind(record.reason, at: 14)
    try statement.bind(AttributeText.text(of: record.attributes), at: 15)
    try statement.bind(record.isSilent, at: 16)
    try statement.bind(record.expected?.text ?? "", at: 17)
    try statement.bind(record.attemptedAt, at: 18)
    try statement.bind(record.note, at: 19)
    try statement.bind(record.createdAt, at: 20)
    try statement.bind(record.dueAt, at: 21)
    try statement.bind(record.isExpectedOnline, at: 22)
    try statement.bind(Int64(record.refusals), at: 23)
  }

  private func select(
    _ condition: String, _ connection: Connection, _ bind: (Statement) throws -> Void
  ) throws -> [RefundRecord] {
    try connection.withStatement("SELECT \(Self.columns) FROM refund \(condition)") { statement in
      try bind(statement)
      var records: [RefundRecord] = []
      while try statement.step() { records.append(try Self.record(statement)) }
      return records
    }
  }

  private static func record(_ statement: Statement) throws -> RefundRecord {
    var record = RefundRecord(
      creditNote: statement.text(0), incrementID: statement.text(1),
      state: try statement.value(2, of: "the state of refund \(statement.text(0))"),
      type: try statement.value(3, of: "the type of refund \(statement.text(0))"),
      rma: statement.text(4), status: statement.text(5), statusReason: statement.text(6),
      statusAt: statement.integer(7), amount: try StoredDecimal.read(statement, 8), createdAt: statement.integer(19))
    record.currency = statement.text(9)
    record.refunded = try StoredDecimal.read(statement, 10)
    record.credit = try StoredDecimal.read(statement, 11)
    record.isCredited = statement.bool(12)
    record.reason = statement.text(13)
    record.attributes = try AttributeText.attributes(in: statement.text(14))
    record.isSilent = statement.bool(15)
    record.expected = statement.text(16).isEmpty ? nil : try StoredDecimal.read(statement, 16)
    record.attemptedAt = statement.integer(17)
    record.note = statement.text(18)
    record.dueAt = statement.integer(20)
    record.isExpectedOnline = statement.bool(21)
    record.refusals = Int(statement.integer(22))
    return record
  }

  private func complete(_ record: RefundRecord, _ connection: Connection) throws -> RefundRecord {
    var record = record
    record.lines = try connection.withStatement(
      """
      SELECT line_number, amount, reason, item_id, sku, is_whole FROM refund_line WHERE credit_note = ?1
      ORDER BY line_number
      """
    ) { statement in
      try statement.bind(record.creditNote, at: 1)
      var lines: [RefundRecord.Line] = []
      while try statement.step() {
        lines.append(
          .init(
            number: Int(statement.integer(0)), amount: try StoredDecimal.read(statement, 1),
            reason: statement.text(2), itemID: statement.integer(3), sku: statement.text(4),
            isWhole: statement.bool(5)))
      }
      return lines
    }
    record.memos = try connection.withStatement(
      "SELECT memo_id, invoice_id, is_online, amount FROM refund_memo WHERE credit_note = ?1 ORDER BY memo_id"
    ) { statement in
      try statement.bind(record.creditNote, at: 1)
      var memos: [RefundRecord.Memo] = []
      while try statement.step() {
        memos.append(
          .init(
            id: statement.integer(0), invoiceID: statement.integer(1), isOnline: statement.bool(2),
            amount: try StoredDecimal.read(statement, 3)))
      }
      return memos
    }
    return record
  }
}
