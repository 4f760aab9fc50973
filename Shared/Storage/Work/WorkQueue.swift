/// Keys that something outside of the store is to be done for: orders whose shop side is behind, refunds to be made, stock to be
/// pushed. A key is added in the transaction that makes it due, worked on by one replica at a time, and gone when that is done.
///
/// What a key stands for is a state, not a message: adding it twice means doing it once, and adding it while somebody works on it
/// means doing it once more.
///
/// A worker has a key for a time, which it prolongs while it works. One that is too slow to notice that its time is over may go on
/// beside the next: what is done outside of the store has to be looked up there before it is done.
public struct WorkQueue: Sendable {
  /// What is done for its keys: several queues share a store.
  public let kind: String

  public init(kind: String) { self.kind = kind }

  /// The table, a step of the schema of each service that has such queues. Both of its columns that find a row come with the key,
  /// so that the table can be spread over machines by it.
  public static let migration = Migration(
    "work to be done outside of the store",
    sqlite: [
      """
      CREATE TABLE work (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        version INTEGER NOT NULL, -- grows each time the key is added
        due_at INTEGER NOT NULL, -- this and other times: nanoseconds since 1970, UTC
        added_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        parked INTEGER NOT NULL CHECK (parked IN (0, 1)), -- waits for an operator, or to be added again
        reason TEXT NOT NULL, -- why the last attempt ended without being done
        holder TEXT NOT NULL, -- empty when nobody works on it
        held_until INTEGER NOT NULL,
        PRIMARY KEY (kind, key)
      ) STRICT, WITHOUT ROWID
      """,
      "CREATE INDEX work_due ON work (kind, due_at) WHERE parked = 0",
    ],
    postgresql: [
      """
      CREATE TABLE work (
        kind TEXT COLLATE "C" NOT NULL,
        key TEXT COLLATE "C" NOT NULL,
        version BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        added_at BIGINT NOT NULL,
        attempts BIGINT NOT NULL,
        parked SMALLINT NOT NULL CHECK (parked IN (0, 1)),
        reason TEXT NOT NULL,
        holder TEXT COLLATE "C" NOT NULL,
        held_until BIGINT NOT NULL,
        PRIMARY KEY (kind, key)
      )
      """,
      "CREATE INDEX work_due ON work (kind, due_at) WHERE parked = 0",
    ])

  public static let placements: [String: Placement] = ["work": .spread(by: "key")]
}
