import Storage

/// The values that stock had: a row wherever one changed.
enum StockHistory {
  /// As long as the gateway's journal keeps messages.
  static let retentionDays: Int64 = 60
  static let day: Int64 = 86_400 * 1_000_000_000

  struct Entry: Sendable {
    let sku: String
    let stock: StoredStock
    let previous: StoredStock
    /// Nanoseconds since 1970; of one SKU, never the same twice.
    let at: Int64
  }

  static func add(
    _ entries: [Entry], aggregateId: String, mode: SnapshotMode, zeroed: Bool, _ connection: Connection
  ) throws {
    if entries.isEmpty { return }
    let isTogether = connection.engine == .postgresql && entries.count > 1
    try connection.withStatement(isTogether ? insertTogether : insert) { statement throws(StorageError) in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(mode.number, at: 5)
      try statement.bind(zeroed, at: 6)
      if isTogether { return try addTogether(entries, statement) }
      try statement.runEach(
        entries, text: { $0.sku }, at: 3,
        bind: { entry throws(StorageError) in
          try statement.bind(entry.at / day, at: 2)
          try statement.bind(entry.at, at: 4)
          try statement.bind(entry.stock.createdOn, at: 7)
          try statement.bind(entry.stock.quantity, at: 8)
          try statement.bind(entry.stock.unlimited, at: 9)
          try statement.bind(entry.previous.quantity, at: 10)
          try statement.bind(entry.previous.unlimited, at: 11)
          try statement.bind(entry.previous.createdOn, at: 12)
        }, changed: { _, _ in })
    }
  }

  private static func addTogether(_ entries: [Entry], _ statement: Statement) throws(StorageError) {
    try statement.bind(array: entries.map { $0.at / day }, at: 2)
    try statement.bind(array: entries.map(\.sku), at: 3)
    try statement.bind(array: entries.map(\.at), at: 4)
    try statement.bind(array: entries.map(\.stock.createdOn), at: 7)
    try statement.bind(array: entries.map(\.stock.quantity), at: 8)
    try statement.bind(array: entries.map { $0.stock.unlimited ? 1 : 0 }, at: 9)
    try statement.bind(array: entries.map(\.previous.quantity), at: 10)
    try statement.bind(array: entries.map { $0.previous.unlimited ? 1 : 0 }, at: 11)
    try statement.bind(array: entries.map(\.previous.createdOn), at: 12)
    try statement.run()
  }

  /// Two messages of one SKU in the same nanosecond are one change.
  private static let insert = """
    INSERT INTO \(StockSchema.history) (aggregate_id, day, sku, at, mode, zeroed, created_on, quantity, unlimited,
      previous_quantity, previous_unlimited, previous_created_on)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    ON CONFLICT (aggregate_id, day, sku, at) DO UPDATE SET
      mode = excluded.mode, zeroed = excluded.zeroed, created_on = excluded.created_on, quantity = excluded.quantity,
      unlimited = excluded.unlimited
    """

  /// The same for many rows at once, see ``StockStore``.
  private static let insertTogether = insert.replacing(
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    with: """
      SELECT ?1, day, sku, at, ?5, ?6, created_on, quantity, unlimited, previous_quantity, previous_unlimited,
        previous_created_on
      FROM unnest(?2, ?3, ?4, ?7, ?8, ?9, ?10, ?11, ?12) AS entry (day, sku, at, created_on, quantity, unlimited,
        previous_quantity, previous_unlimited, previous_created_on)
      """)

  /// A row of the history.
  struct Change: Sendable, Equatable {
    /// Nanoseconds since 1970, as all times here.
    let at: Int64
    let mode: SnapshotMode
    let zeroed: Bool
    let createdOn: Int64
    let quantity: Int64
    let unlimited: Bool
    let previous: StoredStock
  }

  /// Of one SKU, the newest first.
  ///
  /// - Parameters:
  ///   - before: nanoseconds since 1970.
  ///   - limit: rows at most.
  static func changes(
    aggregateId: String, sku: String, before: Int64, limit: Int, now: Int64, _ connection: Connection
  ) throws -> [Change] {
    var changes: [Change] = []
    let today = min(now, before) / day
    for day in stride(from: today, through: max(0, now / day - retentionDays), by: -1) where changes.count < limit {
      try connection.withStatement(select) { statement in
        try statement.bind(aggregateId, at: 1)
        try statement.bind(day, at: 2)
        try statement.bind(sku, at: 3)
        try statement.bind(before, at: 4)
        try statement.bind(Int64(limit - changes.count), at: 5)
        while try statement.step() { changes.append(try change(statement)) }
      }
    }
    return changes
  }

  private static func change(_ statement: Statement) throws(StorageError) -> Change {
    Change(
      at: statement.integer(0),
      mode: try statement.value(1, of: "the mode of a change of stock", as: SnapshotMode.init(number:)),
      zeroed: statement.bool(2),
      createdOn: statement.integer(3), quantity: statement.integer(4), unlimited: statement.bool(5),
      previous: StoredStock(
        quantity: statement.integer(6), unlimited: statement.bool(7), createdOn: statement.integer(8)))
  }

  private static let select = """
    SELECT at, mode, zeroed, created_on, quantity, unlimited, previous_quantity, previous_unlimited, previous_created_on
    FROM \(StockSchema.history) WHERE aggregate_id = ?1 AND day = ?2 AND sku = ?3 AND at < ?4 ORDER BY at DESC LIMIT ?5
    """
}

extension StockHistory {
  /// Removes some of what is older than ``retentionDays``; for ``MessageRetention``.
  ///
  /// - Returns: how many rows it removed.
  static func removeOld(_ connection: Connection, now: Int64) throws -> Int {
    let oldest = now / day - retentionDays
    // An aggregate's rows begin with its oldest day: a look for each aggregate finds what is to go.
    var aggregateId: String? = try first("SELECT MIN(aggregate_id) FROM \(StockSchema.history)", after: nil, connection)
    var removed = 0
    while let id = aggregateId, removed < Inbox.removalLimit {
      removed += try connection.withStatement(remove) { statement in
        try statement.bind(id, at: 1)
        try statement.bind(oldest, at: 2)
        try statement.bind(Int64(Inbox.removalLimit - removed), at: 3)
        return try statement.run()
      }
      aggregateId = try first(
        "SELECT MIN(aggregate_id) FROM \(StockSchema.history) WHERE aggregate_id > ?1", after: id, connection)
    }
    return removed
  }

  private static func first(_ sql: String, after: String?, _ connection: Connection) throws -> String? {
    try connection.withStatement(sql) { statement in
      if let after { try statement.bind(after, at: 1) }
      return try statement.step() && !statement.isNull(0) ? statement.text(0) : nil
    }
  }

  private static let remove = """
    DELETE FROM \(StockSchema.history) WHERE aggregate_id = ?1 AND (day, sku, at) IN (
      SELECT day, sku, at FROM \(StockSchema.history) WHERE aggregate_id = ?1 AND day < ?2 ORDER BY day, sku, at LIMIT ?3)
    """
}
