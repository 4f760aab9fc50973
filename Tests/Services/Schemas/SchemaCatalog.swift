import Storage

/// What PostgreSQL's catalog says of the schema that a connection works on.
struct SchemaCatalog: Sendable {
  struct Relation: Sendable {
    let name: String
    /// `pg_class.relkind`: `r` for a table, `S` for a sequence.
    let kind: String
    /// `p` for one that is in the log.
    let persistence: String
  }

  struct Column: Sendable {
    let table: String
    let name: String
    let isNotNull: Bool
    /// GENERATED … AS IDENTITY, or a sequence's number where nothing is given.
    let isNumbered: Bool
  }

  struct UniqueIndex: Sendable {
    let table: String
    let name: String
    let isPrimary: Bool
    let columns: [String]
  }

  /// A constraint, trigger or rule: `pg_constraint.contype` and the like.
  struct Extra: Sendable {
    let table: String
    let name: String
    let kind: String
  }

  let relations: [Relation]
  let columns: [Column]
  let uniqueIndexes: [UniqueIndex]
  let extras: [Extra]

  init(_ connection: Connection) throws {
    relations = try Self.rows(
      """
      SELECT relname, CAST(relkind AS TEXT), CAST(relpersistence AS TEXT) FROM pg_class
      WHERE \(Self.isHere) AND relkind NOT IN ('i', 'I', 't', 'c') ORDER BY relname
      """, connection
    ) { Relation(name: $0.text(0), kind: $0.text(1), persistence: $0.text(2)) }
    columns = try Self.rows(
      """
      SELECT relname, attname, CAST(attnotnull AS INTEGER),
        CAST(attidentity <> '' OR COALESCE(pg_get_expr(adbin, adrelid), '') LIKE '%nextval%' AS INTEGER)
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
      WHERE \(Self.isHere) AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped ORDER BY relname, attnum
      """, connection
    ) { Column(table: $0.text(0), name: $0.text(1), isNotNull: $0.bool(2), isNumbered: $0.bool(3)) }
    uniqueIndexes = try Self.rows(
      """
      SELECT pg_class.relname, place.relname, CAST(indisprimary AS INTEGER), array_to_string(ARRAY(
        SELECT COALESCE(attname, '') FROM unnest(CAST(indkey AS SMALLINT[])) WITH ORDINALITY AS key (number, position)
        LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = number ORDER BY position), ',')
      FROM pg_index JOIN pg_class ON pg_class.oid = indrelid JOIN pg_class AS place ON place.oid = indexrelid
      WHERE pg_class.\(Self.isHere) AND indisunique ORDER BY 1, 2
      """, connection
    ) {
      UniqueIndex(
        table: $0.text(0), name: $0.text(1), isPrimary: $0.bool(2),
        columns: $0.text(3).split(separator: ",").map(String.init))
    }
    extras = try Self.rows(
      """
      SELECT relname, conname, CASE contype WHEN 'f' THEN 'foreign key' ELSE 'exclusion constraint' END
      FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid WHERE \(Self.isHere) AND contype IN ('f', 'x')
      UNION ALL
      SELECT relname, tgname, 'trigger' FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
      WHERE \(Self.isHere) AND NOT tgisinternal
      UNION ALL
      SELECT relname, rulename, 'rule' FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class WHERE \(Self.isHere)
      ORDER BY 1, 2
      """, connection
    ) { Extra(table: $0.text(0), name: $0.text(1), kind: $0.text(2)) }
  }

  private static let isHere = "relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"

  private static func rows<Row>(_ sql: String, _ connection: Connection, _ row: (Statement) -> Row) throws -> [Row] {
    try connection.withStatement(sql) { statement in
      var rows: [Row] = []
      while try statement.step() { rows.append(row(statement)) }
      return rows
    }
  }
}

extension SchemaCatalog {
  /// Where the schema could not be spread over machines as it says, see ``Placement``; in words.
  func violations(of placements: [String: Placement]) -> [String] {
    var found: [String] = []
    for relation in relations where relation.kind != "r" {
      found.append(relation.kind == "S" ? "sequence \(relation.name)" : "\(relation.name) is no table")
    }
    let tables = relations.filter { $0.kind == "r" }
    for table in tables {
      if table.persistence != "p" { found.append("table \(table.name) is not in the log") }
      switch placements[table.name] {
      case .spread(let column): found += violations(ofTable: table.name, spreadBy: column)
      case .everywhere: break
      case nil: found.append("nobody says where the rows of \(table.name) are")
      }
    }
    found += Set(placements.keys).subtracting(tables.map(\.name)).sorted().map { "\($0) is placed, and not there" }
    found += columns.filter(\.isNumbered).map { "\($0.table).\($0.name) comes from a sequence" }
    found += extras.map { "\($0.kind) \($0.name) of \($0.table)" }
    return found
  }

  private func violations(ofTable table: String, spreadBy column: String) -> [String] {
    guard let distribution = columns.first(where: { $0.table == table && $0.name == column }) else {
      return ["\(table) is spread by \(column), which it has not"]
    }
    var found = distribution.isNotNull ? [] : ["\(table) is spread by \(column), which may be NULL"]
    let unique = uniqueIndexes.filter { $0.table == table }
    if !unique.contains(where: \.isPrimary) { found.append("\(table) has no primary key") }
    for index in unique where !index.columns.contains(column) {
      found.append("\(index.name) (\(index.columns.joined(separator: ", "))) is unique and lacks \(column) of \(table)")
    }
    return found
  }
}
