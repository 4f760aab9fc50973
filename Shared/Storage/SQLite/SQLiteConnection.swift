import CSQLite
import EventLoop
import Glibc

/// A connection to a store in a file.
final class SQLiteConnection: Connection {
  let handle: OpaquePointer
  let path: String
  private let options: DatabaseOptions
  /// The writer's.
  private var turn: WriterTurn?
  /// What the busy handler and the commit hook work on; C holds pointers to it.
  let state: UnsafeMutablePointer<ConnectionState>
  /// From how many pages in the log on a checkpoint waits for the readers, so that the log shrinks although they are many.
  private var forcedCheckpointPages: Int
  // Not a dictionary: hashing a statement's text costs more than comparing it with a handful of others, of which the one that
  // is looked for is mostly the same string. What was used last is at the end.
  private var idleStatements: [(sql: String, handle: OpaquePointer)] = []

  /// Prepared statements kept for reuse, those that were used last. A service has a fixed, small set, but migrations, which run
  /// once, come first.
  static let maximumIdleStatements = 256

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
    self.options = options
    forcedCheckpointPages = options.checkpointPages * Self.forcedCheckpointFactor
    state = .allocate(capacity: 1)
    state.initialize(to: ConnectionState(busyTimeoutNanoseconds: options.busyTimeout.nanoseconds))
    super.init(engine: .sqlite)
    sqlite3_busy_handler(handle, waitForLock, state)
    sqlite3_wal_hook(handle, noteWAL, state)

    try switchToWAL()
    try checkPlace()
    try execute("PRAGMA synchronous = FULL")
    try execute("PRAGMA foreign_keys = ON")
    try execute("PRAGMA mmap_size = 0")
    try execute("PRAGMA cache_size = -\(cacheKiB)")
    try execute("PRAGMA journal_size_limit = \(options.checkpointPages * 4096)")
    if let maximumPages = options.maximumPages { try execute("PRAGMA max_page_count = \(maximumPages)") }
    if readOnly {
      try execute("PRAGMA query_only = ON")
    } else {
      let turn = try WriterTurn(path: path + "-turn")
      state.pointee.turn = Unmanaged.passUnretained(turn)
      self.turn = turn
    }
  }

  deinit {
    state.pointee.turn = nil
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

  /// A restore puts the stores aside while nobody has locked them: whoever had opened one just before would work on what was
  /// put aside.
  private func checkPlace() throws(StorageError) {
    var hasMoved: Int32 = 0
    let code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &hasMoved)
    guard code == SQLITE_OK else { throw noted(code) }
    if hasMoved == 0 { return }
    throw StorageError(.locked, "store \(path) was moved away while it was opened", remedy: "start again")
  }

  override func execute(_ sql: String) throws(StorageError) {
    try withPrepared(sql) { statement throws(StorageError) in
      while try statement.step() {}
    }
  }

  // MARK: Statements

  override func take(_ sql: String) throws(StorageError) -> Statement {
    if let index = idleStatements.lastIndex(where: { $0.sql == sql }) {
      return Statement(handle: idleStatements.remove(at: index).handle, connection: self, sql: sql)
    }
    var prepared: OpaquePointer?
    let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    guard code == SQLITE_OK, let prepared else { throw noted(code, statement: sql) }
    return Statement(handle: prepared, connection: self, sql: sql)
  }

  override func giveBack(_ statement: Statement) {
    guard let handle = statement.handle else { return }
    sqlite3_reset(handle)
    sqlite3_clear_bindings(handle)
    if idleStatements.count == Self.maximumIdleStatements { sqlite3_finalize(idleStatements.removeFirst().handle) }
    idleStatements.append((statement.sql, handle))
  }

  /// The error of the call that answered `code`; the transaction has failed with the first one.
  func noted(_ code: Int32, statement: String? = nil) -> StorageError {
    let error = StorageError(code: code, handle: handle, path: path, statement: statement)
    if failure == nil { failure = error }
    return error
  }

  // MARK: Transactions

  override func migrate(_ migrations: [Migration]) throws(StorageError) { try bringUpToDate(migrations) }

  override var runsWhileGathering: Bool { true }

  override func beginReading() throws(StorageError) {
    failure = nil
    try execute("BEGIN")
  }

  override func beginWriting(_ jobs: [Job]) throws(StorageError) {
    failure = nil
    defer { turn?.withdraw() }
    try execute("BEGIN IMMEDIATE")
  }

  override func commit() throws(StorageError) { try execute("COMMIT") }

  override func rollBack() {
    guard isInTransaction else { return }
    do throws(StorageError) {
      try execute("ROLLBACK")
    } catch {
      // The next BEGIN would fail on the open transaction; SQLite only refuses a rollback that has happened already.
      options.onBackgroundError(error)
    }
  }

  /// SQLite ends a transaction by itself when the disk is full or an I/O error strikes.
  override var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  // MARK: Between commits

  /// ``forcedCheckpointPages`` as a multiple of ``DatabaseOptions/checkpointPages``, unless a reader stays.
  private static let forcedCheckpointFactor = 8
  /// How long a checkpoint waits for readers. One that reads on and on, such as a backup, must not hold up the writer for longer.
  private static let forcedCheckpointWait = Duration.milliseconds(200)

  /// Copies the log into the file after the callers have their answers: they don't wait for it.
  override func tidyUp() {
    let pages = Int(state.pointee.walPages)
    guard pages >= options.checkpointPages else { return }
    let usual = options.checkpointPages * Self.forcedCheckpointFactor
    if pages < usual { forcedCheckpointPages = usual }
    let isForced = pages >= forcedCheckpointPages
    if isForced { state.pointee.busyTimeoutNanoseconds = Self.forcedCheckpointWait.nanoseconds }
    let mode = isForced ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
    let code = sqlite3_wal_checkpoint_v2(handle, "main", mode, nil, nil)
    state.pointee.busyTimeoutNanoseconds = options.busyTimeout.nanoseconds
    turn?.withdraw()
    // Who has stayed is waited for again when the log has grown by as much as makes a checkpoint.
    if isForced { forcedCheckpointPages = code == SQLITE_OK ? usual : pages + options.checkpointPages }
    // Another process is at it, or a reader is in the way: the next commit tries again.
    if code == SQLITE_OK || code & 0xff == SQLITE_BUSY { return }
    options.onBackgroundError(StorageError(code: code, handle: handle, path: path))
  }

  override func stepBack() { turn?.stepBack() }
}

/// What SQLite's callbacks read and write.
struct ConnectionState {
  var busyTimeoutNanoseconds: UInt64
  var busySinceNanoseconds: UInt64 = 0
  /// Pages in the WAL after the last commit.
  var walPages: Int32 = 0
  /// Where a writer says that it waits; kept alive by the connection.
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
