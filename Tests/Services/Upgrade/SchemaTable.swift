import Storage

/// A table as the engine describes it.
struct SchemaTable: Sendable {
  struct Column: Sendable {
    let name: String
    /// A value that every table of ours takes: all its numbers may be 1.
    let value: String
    /// Counted by the server.
    let isIdentity: Bool
  }

  let name: String
  let columns: [Column]

  /// Those of a store, but for the one that says which version it is of.
  static func all(_ connection: Connection) throws -> [SchemaTable] {
    let names =
      switch connection.engine {
      case .sqlite: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
      case .postgresql:
        """
        SELECT table_name::text FROM information_schema.tables
        WHERE table_schema = current_schema() AND table_name <> 'schema_version' ORDER BY 1
        """
      }
    return try connection.withStatement(names) { statement in
      var found: [String] = []
      while try statement.step() { found.append(statement.text(0)) }
      return found
    }.map { SchemaTable(name: $0, columns: try columns(of: $0, connection)) }
  }

  private static func columns(of table: String, _ connection: Connection) throws -> [Column] {
    let sql =
      switch connection.engine {
      case .sqlite: "SELECT name, lower(type), 0 FROM pragma_table_info(?1)"
      case .postgresql:
        """
        SELECT column_name::text, data_type::text, CASE WHEN is_identity = 'YES' THEN 1 ELSE 0 END
        FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name = ?1 ORDER BY ordinal_position
        """
      }
    return try connection.withStatement(sql) { statement in
      try statement.bind(table, at: 1)
      var found: [Column] = []
      while try statement.step() {
        let value =
          switch statement.text(1) {
          case "blob": "x'31'"
          case "bytea": "'\\x31'"
          case "text": "'1'"
          default: "1"
          }
        found.append(Column(name: statement.text(0), value: value, isIdentity: statement.integer(2) == 1))
      }
      return found
    }
  }

  /// Adds a row, unless the table has some from its beginning.
  func fill(_ connection: Connection) throws {
    if try Self.count(name, connection) > 0 { return }
    let given = columns.filter { !$0.isIdentity }
    let names = given.map { "\"\($0.name)\"" }.joined(separator: ", ")
    let values = given.map(\.value).joined(separator: ", ")
    try connection.execute("INSERT INTO \"\(name)\" (\(names)) VALUES (\(values))")
  }

  /// The only row: column → value, written as text. Empty when there is none, or are several.
  func row(_ connection: Connection) throws -> [String: String] {
    let texts = columns.map { column in
      connection.engine == .sqlite ? "quote(\"\(column.name)\")" : "CAST(\"\(column.name)\" AS TEXT)"
    }
    return try connection.withStatement("SELECT \(texts.joined(separator: ", ")) FROM \"\(name)\"") { statement in
      var rows: [[String: String]] = []
      while try statement.step() {
        rows.append(
          Dictionary(uniqueKeysWithValues: columns.indices.map { (columns[$0].name, statement.text(Int32($0))) }))
      }
      return rows.count == 1 ? rows[0] : [:]
    }
  }

  static func count(_ table: String, _ connection: Connection) throws -> Int64 {
    try connection.withStatement("SELECT count(*) FROM \"\(table)\"") { statement in
      _ = try statement.step()
      return statement.integer(0)
    }
  }
}
