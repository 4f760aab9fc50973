import EventLoop
import Glibc

/// A session on the server that holds a store's lock for as long as it lasts, and the number of the lock's holder.
final class LockSession {
  /// How the server knows a session, over its restarts: numbers of processes come again.
  struct Identity: Sendable {
    let process: String
    let startedAt: String
  }

  let session: PostgreSQLSession
  let identity: Identity
  private let schema: String

  /// How long the server may take to answer.
  private static let answerNanoseconds: UInt64 = 5_000_000_000
  /// How long it may take to end another session.
  private static let endMilliseconds = 2_000
  /// How often to look again whether another process has ended.
  private static let intervalMicroseconds: UInt32 = 50_000

  init(_ url: PostgreSQLURL, store: String, schema: String) throws(StorageError) {
    self.schema = schema
    session = try PostgreSQLSession(url, store: store, application: schema, options: DatabaseOptions())
    try session.simple(
      "SET idle_session_timeout = 0; \(SessionSettings.keepalive)", nanoseconds: Self.answerNanoseconds)
    let found = try session.simple(
      "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()",
      nanoseconds: Self.answerNanoseconds)
    identity = Identity(process: found.text(0, 0), startedAt: found.text(0, 1))
  }

  func tryLock() throws(StorageError) -> Bool {
    let number = KeyLock.number("store", schema: schema)
    return try ask("SELECT pg_try_advisory_lock(\(number))").text(0, 0) == "t"
  }

  /// Waits for another process to give it back or to end.
  ///
  /// - Throws: `locked` when it does not in time.
  func lock(waiting: Duration) throws(StorageError) {
    let end = EventLoop.monotonicNanoseconds() + waiting.nanoseconds
    while try !tryLock() {
      if EventLoop.monotonicNanoseconds() >= end {
        throw StorageError(
          .locked, "store \(session.store): another process works on it, and only one may",
          remedy: "stop that one first (pg_stat_activity lists it), or give this one a database of its own")
      }
      usleep(Self.intervalMicroseconds)
    }
  }

  /// The end of a session takes the server a moment: whoever waits for the lock shall not have to.
  func unlock() throws(StorageError) { try ask("SELECT pg_advisory_unlock_all()") }

  /// Finds out whether the server is still there.
  func check() throws(StorageError) { try ask("SELECT 1") }

  /// Ends an earlier session of this process, which the server may take for alive although its network is gone.
  func end(_ earlier: Identity) throws(StorageError) {
    try ask(
      """
      SELECT pg_terminate_backend(pid, \(Self.endMilliseconds)) FROM pg_stat_activity
      WHERE pid = \(earlier.process) AND backend_start = \(Identifier.literal(earlier.startedAt))
      """)
  }

  // MARK: The number

  /// Makes this the store's next holder. What the one before has not committed yet, it won't; to be called under the lock.
  func takeOver() throws(StorageError) -> StoreFence {
    try PostgreSQLSchema.make(schema, session)
    try ask(
      "CREATE TABLE IF NOT EXISTS \(table) (only_row BOOLEAN PRIMARY KEY CHECK (only_row), number BIGINT NOT NULL)")
    let taken = try session.simple(
      """
      INSERT INTO \(table) AS holder (only_row, number) VALUES (true, 1)
      ON CONFLICT (only_row) DO UPDATE SET number = holder.number + 1 RETURNING number
      """)
    return StoreFence(number: taken.integer(0, 0))
  }

  /// nil when the store has no number (any more).
  func holder() throws(StorageError) -> Int64? {
    let table = try ask(
      """
      SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE nspname = \(Identifier.literal(schema)) AND relname = \(Identifier.literal(StoreFence.table))
      """)
    guard table.rows > 0 else { return nil }
    let found = try ask("SELECT number FROM \(self.table)")
    return found.rows > 0 ? found.integer(0, 0) : nil
  }

  private var table: String { "\(Identifier.quoted(schema)).\(StoreFence.table)" }

  @discardableResult
  private func ask(_ sql: String) throws(StorageError) -> QueryResult {
    try session.simple(sql, nanoseconds: Self.answerNanoseconds)
  }
}
