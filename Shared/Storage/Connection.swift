import CSQLite
import EventLoop
import Glibc

/// One connection to the store, used by one thread at a time.
public final class Connection {
  /// What understands its SQL.
  public let engine = StorageEngine.sqlite
  let handle: OpaquePointer
  let path: String
  /// What the busy handler and the commit hook work on; C holds pointers to it.
  let state: UnsafeMutablePointer<ConnectionState>
  // Not a dictionary: hashing a statement's text costs more than comparing it with a handful of others, of which the one that
  // is looked for is mostly the same string.
  private var idleStatements: [(sql: String, handle: OpaquePointer)] = []

  /// Prepared statements kept for reuse. A service has a fixed, small set; the limit is for one that builds its SQL.
  static let maximumIdleStatements = 64

  /// Opens the file at `path`, which exists, in WAL mode.
  init(path: String, options: DatabaseOptions, cacheKiB: Int, readOnly: Bool) throws(StorageError) {
    var opened: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let code = sqlite3_open_v2(path, &opened, flags, nil)
    guard code == SQLITE_OK, let opened else {
      let error = StorageError(code: code, handle: opened, path: path)
      sqlite3_close_v2(opened)
      throw error
    }
    handle = opened
    self.path = path
    state = .allocate(capacity: 1)
    state.initialize(to: ConnectionState(busyTimeoutNanoseconds: options.busyTimeout.nanoseconds))
    sqlite3_busy_handler(handle, waitForLock, state)
    sqlite3_wal_hook(handle, noteWAL, state)

    try switchToWAL()
    try execute("PRAGMA synchronous = FULL")
    try execute("PRAGMA foreign_keys = ON")
    try execute("PRAGMA mmap_size = 0")
    try execute("PRAGMA cache_size = -\(cacheKiB)")
    try execute("PRAGMA journal_size_limit = \(options.checkpointPages * 4096)")
    if let maximumPages = options.maximumPages { try execute("PRAGMA max_page_count = \(maximumPages)") }
    if readOnly { try execute("PRAGMA query_only = ON") }
  }

  deinit {
    for statement in idleStatements { sqlite3_finalize(statement.handle) }
    sqlite3_close_v2(handle)
    state.deinitialize(count: 1)
    state.deallocate()
  }

  /// The result is a row, and is `wal` only when it worked. Replicas that start together collide here, and SQLite answers
  /// some of these collisions at once, without asking the busy handler.
  private func switchToWAL() throws(StorageError) {
    var attempt: Int32 = 0
    while true {
      do throws(StorageError) {
        let mode = try withPrepared("PRAGMA journal_mode = WAL") { statement throws(StorageError) in
          try statement.step() ? statement.text(0) : ""
        }
        if mode == "wal" { return }
        throw StorageError(
          .cannotOpen, "store \(path): journal mode is \"\(mode)\", not WAL", remedy: "put it on a local file system")
      } catch {
        if error.kind != .locked || waitForLock(state, attempt) == 0 { throw error }
        attempt += 1
      }
    }
  }

  /// Lends the prepared statement of `sql`, prepared at its first use, for the time of `body`.
  public func withStatement<Result, Failure: Error>(
    _ sql: String, _ body: (Statement) throws(Failure) -> Result
  ) throws -> Result {
    let handle = try take(sql)
    defer { giveBack(handle, sql) }
    return try body(Statement(handle: handle, connection: self, sql: sql))
  }

  /// As ``withStatement(_:_:)`` for bodies that fail only in the store.
  func withPrepared<Result>(
    _ sql: String, _ body: (Statement) throws(StorageError) -> Result
  ) throws(StorageError) -> Result {
    let handle = try take(sql)
    defer { giveBack(handle, sql) }
    return try body(Statement(handle: handle, connection: self, sql: sql))
  }

  /// Runs one statement without parameters and ignores its rows.
  public func execute(_ sql: String) throws(StorageError) {
    try withPrepared(sql) { statement throws(StorageError) in
      while try statement.step() {}
    }
  }

  /// Whether a transaction is open. SQLite ends one by itself when the disk is full or an I/O error strikes.
  var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// The error of the last call that failed.
  func lastError() -> StorageError {
    StorageError(code: sqlite3_errcode(handle), handle: handle, path: path)
  }

  private func take(_ sql: String) throws(StorageError) -> OpaquePointer {
    if let index = idleStatements.lastIndex(where: { $0.sql == sql }) {
      idleStatements.swapAt(index, idleStatements.count - 1)
      return idleStatements.removeLast().handle
    }
    var prepared: OpaquePointer?
    let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    guard code == SQLITE_OK, let prepared else {
      throw StorageError(code: code, handle: handle, path: path, statement: sql)
    }
    return prepared
  }

  private func giveBack(_ statement: OpaquePointer, _ sql: String) {
    sqlite3_reset(statement)
    sqlite3_clear_bindings(statement)
    if idleStatements.count < Self.maximumIdleStatements {
      idleStatements.append((sql, statement))
    } else {
      sqlite3_finalize(statement)
    }
  }
}

/// What SQLite's callbacks read and write.
struct ConnectionState {
  var busyTimeoutNanoseconds: UInt64
  var busySinceNanoseconds: UInt64 = 0
  /// Pages in the WAL after the last commit.
  var walPages: Int32 = 0
  /// Where a writer says that it waits; kept alive by the ``Writer``.
  var turn: Unmanaged<WriterTurn>?
}

private func noteWAL(
  _ context: UnsafeMutableRawPointer?, _: OpaquePointer?, _: UnsafePointer<CChar>?, _ pages: Int32
) -> Int32 {
  context?.assumingMemoryBound(to: ConnectionState.self).pointee.walPages = pages
  return SQLITE_OK
}

/// Called while another process holds the lock. SQLite's own back-off grows to 100 ms, by which a busy neighbour would
/// starve this one; there is nothing to wait on but the lock itself, so look again after a fraction of a millisecond at
/// first, the time of a commit, and then after 1 to 4 ms.
private func waitForLock(_ context: UnsafeMutableRawPointer?, _ attempt: Int32) -> Int32 {
  guard let state = context?.assumingMemoryBound(to: ConnectionState.self) else { return 0 }
  let now = EventLoop.monotonicNanoseconds()
  if attempt == 0 {
    state.pointee.busySinceNanoseconds = now
    state.pointee.turn?.takeUnretainedValue().announce()
  }
  if now - state.pointee.busySinceNanoseconds >= state.pointee.busyTimeoutNanoseconds { return 0 }
  usleep(attempt < 20 ? UInt32.random(in: 100...500) : UInt32.random(in: 1_000...4_000))
  return 1
}
