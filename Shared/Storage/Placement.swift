/// Where the rows of a table are when a store is larger than one server: with Citus, or on a database that speaks PostgreSQL's
/// language and spreads tables by itself (CockroachDB). Each schema says it of its tables; the tests hold the tables to it.
///
/// What the schemas keep to for that:
/// - Every unique key has the column by which rows are spread: a machine can see that a row is the only one without asking the
///   others. The column never changes.
/// - No sequences, which all machines would ask in one place. Numbers come from the rows that they are for
///   (`journal_partition`, `outbox_number`), or a table needs none.
/// - No triggers, foreign keys, exclusion constraints, views, and tables without a log (UNLOGGED).
/// - Rows that are read or written together have the same column, and so are on the same machine: an order and its lines.
///
/// And the statements, as far as no test can see it: nothing but constants and parameters where `UPDATE` sets a value, no
/// subqueries in `INSERT … VALUES … RETURNING`, no LISTEN and NOTIFY. Advisory locks only spare work: CockroachDB has them by name
/// and does nothing, which is right, if slower, as bodies that got in each other's way are run anew.
///
/// Known to be refused still, by CockroachDB, by its sources: columns of `TEXT COLLATE "C"`, which PostgreSQL needs for the order of
/// bytes that CockroachDB has anyway; `DROP CONSTRAINT` of a unique key, in an early step of the inbox; `get_byte` of a `sha256`, in
/// the step that gave the journal its parts. It needs a schema of its own for empty stores, without these.
///
/// Tried is all this on PostgreSQL alone. Steps of the schema that change a table which has rows are written for it; who begins
/// on another database begins with an empty store. `create_distributed_table` and `create_reference_table` of Citus are an
/// operator's to call.
public enum Placement: Sendable, Equatable {
  /// On the machine that the value of this column falls to: the distribution column.
  case spread(by: String)
  /// All rows on every machine (a reference table): few rows that change rarely, and are joined with any.
  case everywhere

  /// That of several parts of a schema.
  public static func all(_ parts: [String: Placement]...) -> [String: Placement] {
    parts.reduce(into: [:]) { all, part in
      all.merge(part) { _, _ in preconditionFailure("a table is placed twice") }
    }
  }

  /// The tables that ``Database`` itself makes.
  public static let ofEveryStore: [String: Placement] = ["schema_version": .everywhere]
}
