import ServiceKit
import Storage

/// Stock that the shop is to be told, by aggregate and partition: kept in the store beside the stock itself.
enum PushQueue {
  /// Keys are partitions, see ``PushKey``.
  static let work = WorkQueue(kind: "stock push")
  /// Keys are aggregates of which every SKU is to be pushed.
  static let all = WorkQueue(kind: "stock push of all")

  /// Notes that SKUs are to be pushed, in the transaction that changes them. Aggregates without a target cost one look.
  ///
  /// - Returns: whether the aggregate has a target.
  @discardableResult
  static func mark(
    _ skus: some Collection<String>, of aggregateId: String, _ connection: Connection, at now: Int64
  ) throws -> Bool {
    guard try hasTarget(aggregateId, connection) else { return false }
    let rows = skus.map { (sku: $0, part: StockPartition.of($0)) }
    // First, as by whoever has a partition, and in the order in which partitions are claimed: none of them waits in a circle.
    let due = try connection.now()
    for key in Set(rows.map(\.part)).map({ PushKey(aggregateId, $0).text }).sorted() {
      try work.add(connection, key, now: due)
    }
    try connection.withStatement(insert) { statement throws(StorageError) in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(now, at: 4)
      try statement.runEach(
        rows, text: { $0.sku }, at: 3,
        bind: { row throws(StorageError) in try statement.bind(Int64(row.part), at: 2) }, changed: { _, _ in })
    }
    return true
  }

  static func hasTarget(_ aggregateId: String, _ connection: Connection) throws -> Bool {
    try connection.withStatement("SELECT 1 FROM \(StockSchema.target) WHERE aggregate_id = ?1") { statement in
      try statement.bind(aggregateId, at: 1)
      let found = try statement.step()
      if found { _ = try statement.step() }
      return found
    }
  }

  /// A version never comes back: a row that was pushed, went, and is marked again is not taken for the one that was pushed.
  private static let insert = """
    INSERT INTO \(StockSchema.push) (aggregate_id, part, sku, version, sent, failed, reason) VALUES (?1, ?2, ?3, ?4, 0, 0, '')
    ON CONFLICT (aggregate_id, part, sku) DO UPDATE SET
      version = CASE WHEN excluded.version > \(StockSchema.push).version
        THEN excluded.version ELSE \(StockSchema.push).version + 1 END,
      failed = 0, reason = ''
    """
}

/// A partition of an aggregate as a key of the queue.
struct PushKey: Sendable, Equatable {
  let aggregateId: String
  let part: Int

  init(_ aggregateId: String, _ part: Int) {
    self.aggregateId = aggregateId
    self.part = part
  }

  /// - Returns: nil for what ``text`` has not written.
  init?(_ text: String) {
    guard let blank = text.firstIndex(of: " "), let part = Int(text[..<blank]),
      (0..<StockPartition.count).contains(part)
    else { return nil }
    self.init(String(text[text.index(after: blank)...]), part)
  }

  var text: String { "\(part) \(aggregateId)" }
}
