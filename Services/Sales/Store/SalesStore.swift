import Storage

/// Orders, their lines and attributes in the store.
///
/// Functions that take a connection belong into the body of `Database.write(weight:key:_:)` with the order's increment id as key, so
/// that whoever reads an order and writes it back is alone with it, or into a body of `Database.read`.
struct SalesStore: Sendable {
  let database: Database
  /// What the OMS is owed.
  let outbox = Outbox(service: "sales")
  /// Orders whose shop side has to be looked at.
  let orderQueue = WorkQueue(kind: "order")
  /// Orders that wait to be exported.
  let exportQueue = WorkQueue(kind: "export")

  init(_ database: Database) { self.database = database }

  // MARK: Reading

  /// nil when there is no such order.
  func order(_ incrementID: String) async throws -> SalesOrder? {
    try await database.read { try order($0, incrementID) }
  }

  /// The order that has this entity id in the shop; nil when there is none.
  func order(entityID: Int64) async throws -> SalesOrder? {
    guard entityID != 0 else { return nil }
    return try await database.read { connection in
      try connection.withStatement(
        "SELECT \(SalesOrder.columns) FROM sales_order WHERE entity_id = ?1 AND entity_id <> 0"
      ) { statement in
        try statement.bind(entityID, at: 1)
        return try statement.step() ? SalesOrder(statement) : nil
      }
    }
  }

  /// In the order of their numbers.
  func lines(of incrementID: String) async throws -> [SalesLine] {
    try await database.read { try lines($0, of: incrementID) }
  }

  /// As ``order(_:)``, within a transaction.
  func order(_ connection: Connection, _ incrementID: String) throws -> SalesOrder? {
    try connection.withStatement("SELECT \(SalesOrder.columns) FROM sales_order WHERE increment_id = ?1") { statement in
      try statement.bind(incrementID, at: 1)
      return try statement.step() ? SalesOrder(statement) : nil
    }
  }

  /// The order whose `create` has that delivery id.
  func order(_ connection: Connection, deliveryID: String) throws -> SalesOrder? {
    guard !deliveryID.isEmpty else { return nil }
    return try connection.withStatement(
      "SELECT \(SalesOrder.columns) FROM sales_order WHERE delivery_id = ?1 AND delivery_id <> ''"
    ) { statement in
      try statement.bind(deliveryID, at: 1)
      return try statement.step() ? SalesOrder(statement) : nil
    }
  }

  /// As ``lines(of:)``, within a transaction.
  func lines(_ connection: Connection, of incrementID: String) throws -> [SalesLine] {
    try connection.withStatement(
      "SELECT \(SalesLine.columns) FROM sales_line WHERE increment_id = ?1 ORDER BY line_number"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      var lines: [SalesLine] = []
      while try statement.step() { lines.append(try SalesLine(statement)) }
      return lines
    }
  }

  /// nil when there is no such line.
  func line(_ connection: Connection, of incrementID: String, _ number: Int) throws -> SalesLine? {
    try connection.withStatement(
      "SELECT \(SalesLine.columns) FROM sales_line WHERE increment_id = ?1 AND line_number = ?2"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(Int64(number), at: 2)
      return try statement.step() ? SalesLine(statement) : nil
    }
  }

  /// Custom attributes of the order that the OMS has set, in the order of their names.
  func attributes(_ connection: Connection, of incrementID: String) throws -> [(name: String, value: String)] {
    try connection.withStatement(
      "SELECT name, value FROM sales_attribute WHERE increment_id = ?1 ORDER BY name"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      var attributes: [(name: String, value: String)] = []
      while try statement.step() { attributes.append((statement.text(0), statement.text(1))) }
      return attributes
    }
  }

  // MARK: Writing

  /// Writes a whole order, a new one or one that is there.
  ///
  /// - Parameter now: nanoseconds since 1970, for ``SalesOrder/updatedAt``.
  func save(_ connection: Connection, _ order: SalesOrder, now: Int64 = WallClock.nanoseconds()) throws {
    var order = order
    order.updatedAt = now
    try connection.withStatement(Self.upsertOrder) { statement throws(StorageError) in
      try order.bind(statement)
      _ = try statement.run()
    }
  }

  /// Writes whole lines, new ones or such that are there.
  func save(_ connection: Connection, _ lines: [SalesLine], of incrementID: String) throws {
    try connection.withStatement(Self.upsertLine) { statement throws(StorageError) in
      for line in lines {
        try line.bind(statement, of: incrementID)
        _ = try statement.run()
      }
    }
  }

  /// Sets attributes of the order; those that are not named stay.
  ///
  /// - Returns: how many there was no room for, see ``AttributeLimits``.
  @discardableResult
  func setAttributes(
    _ connection: Connection, of incrementID: String, _ new: [(name: String, value: String)]
  ) throws -> Int {
    let known = Dictionary(try attributes(connection, of: incrementID).map { ($0.name, $0.value) }) { _, last in last }
    var merged = known
    let leftOut = AttributeLimits.merge(new, into: &merged)
    let changed = merged.filter { known[$0.key] != $0.value }
    try connection.withStatement(
      """
      INSERT INTO sales_attribute (increment_id, name, value) VALUES (?1, ?2, ?3)
      ON CONFLICT (increment_id, name) DO UPDATE SET value = excluded.value
      """
    ) { statement throws(StorageError) in
      try statement.bind(incrementID, at: 1)
      for (name, value) in changed.sorted(by: { $0.key < $1.key }) {
        try statement.bind(name, at: 2)
        try statement.bind(value, at: 3)
        _ = try statement.run()
      }
    }
    return leftOut
  }

  /// Sets what an operator has to look at; an empty text clears it.
  func setAttention(_ connection: Connection, of incrementID: String, _ text: String) throws {
    try connection.withStatement(
      "UPDATE sales_order SET attention = ?2, updated_at = ?3 WHERE increment_id = ?1"
    ) { statement throws(StorageError) in
      try statement.bind(incrementID, at: 1)
      try statement.bind(text, at: 2)
      try statement.bind(WallClock.nanoseconds(), at: 3)
      _ = try statement.run()
    }
  }

  private static let upsertOrder = upsert("sales_order", SalesOrder.columns, key: ["increment_id"])
  private static let upsertLine = upsert("sales_line", SalesLine.columns, key: ["increment_id", "line_number"])

  private static func upsert(_ table: String, _ columns: String, key: [String]) -> String {
    let names = columns.split { $0 == "," || $0 == " " || $0 == "\n" }.map(String.init)
    let parameters = names.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
    let changes = names.filter { !key.contains($0) }.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
    return """
      INSERT INTO \(table) (\(columns)) VALUES (\(parameters))
      ON CONFLICT (\(key.joined(separator: ", "))) DO UPDATE SET \(changes)
      """
  }
}
