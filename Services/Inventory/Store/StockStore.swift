import Storage

/// Stock per aggregate and SKU in the store.
struct StockStore: Sendable {
  let database: Database
  /// The time of day, in nanoseconds since 1970. Asked for within a transaction, so that of two changes of an aggregate the later one
  /// has the later time.
  var clock: @Sendable () -> Int64 = WallClock.nanoseconds
  /// Rows of a NONZERO that may be one of several, see ``NonzeroRun``.
  var partSize = NonzeroRun.partSize

  init(_ database: Database) { self.database = database }

  /// Applies a snapshot in one transaction, shared with the others that wait.
  ///
  /// - Returns: at once; the outcome is there when it is durable.
  /// - Throws: ``StorageError``, `overloaded` or `closed`.
  func enqueue(_ snapshot: StockSnapshot) throws(StorageError) -> PendingResult<SnapshotOutcome> {
    if snapshot.mode == .delta {
      return try database.enqueueWrite(
        (self, snapshot), to: Self.deltas, weight: snapshot.weight, key: snapshot.aggregateId, isolation: Self.isolation
      )
    }
    return try database.enqueueWrite(weight: snapshot.weight, key: snapshot.aggregateId, isolation: Self.isolation) {
      try apply(snapshot, $0)
    }
  }

  /// The small messages, and the many.
  private static let deltas = SharedWrite<(store: StockStore, snapshot: StockSnapshot), SnapshotOutcome> {
    connection, inputs in
    try inputs[0].store.apply(deltas: inputs.map(\.snapshot), connection)
  }

  /// Nobody writes an aggregate's stock without its key, so a snapshot reads nothing that another replica is changing. As
  /// serializable, snapshots of several aggregates failed each other: PostgreSQL notes what large ones have read by the page.
  static let isolation = Isolation.readCommitted

  /// - Returns: nil when no snapshot of the aggregate has ever named the SKU.
  func stock(aggregateId: String, sku: String) async throws -> Stock? {
    try await database.read { connection in
      try connection.withStatement(Self.selectOne) { statement throws(StorageError) in
        try statement.bind(aggregateId, at: 1)
        try statement.bind(sku, at: 2)
        return try statement.step() ? Self.stock(statement, aggregateId: aggregateId) : nil
      }
    }
  }

  /// A page of an aggregate's stock in the order of the SKUs' bytes.
  ///
  /// - Parameters:
  ///   - after: the last SKU of the page before; empty for the first page.
  ///   - limit: rows at most.
  ///   - byteLimit: texts and numbers of the page in bytes, about; the row that reaches it is the last.
  /// - Returns: the rows, and whether more follow.
  func page(
    aggregateId: String, after: String, limit: Int, byteLimit: Int
  ) async throws -> (stock: [Stock], isLast: Bool) {
    try await database.read { connection in
      try connection.withStatement(Self.selectPage) { statement throws(StorageError) in
        try statement.bind(aggregateId, at: 1)
        try statement.bind(after, at: 2)
        // One more than asked tells whether a page follows.
        try statement.bind(Int64(limit) + 1, at: 3)
        var stock: [Stock] = []
        var bytes = 0
        while try statement.step() {
          if stock.count == limit || bytes >= byteLimit { return (stock, false) }
          let row = Self.stock(statement, aggregateId: aggregateId)
          bytes += row.sku.utf8.count + aggregateId.utf8.count + 40
          stock.append(row)
        }
        return (stock, true)
      }
    }
  }

  private static func stock(_ statement: Statement, aggregateId: String) -> Stock {
    Stock(
      sku: statement.text(0), aggregateId: aggregateId, quantity: statement.integer(1), unlimited: statement.bool(2),
      createdOn: CreatedOn(nanoseconds: statement.integer(3)))
  }

  private static let selectOne = """
    SELECT sku, quantity, unlimited, created_on FROM \(StockSchema.table) WHERE aggregate_id = ?1 AND sku = ?2
    """

  private static let selectPage = """
    SELECT sku, quantity, unlimited, created_on FROM \(StockSchema.table) WHERE aggregate_id = ?1 AND sku > ?2
    ORDER BY sku LIMIT ?3
    """
}
