/// Connections to several stores, each with a transaction open in which it sees its store as it was at an instant that is the same
/// for all of them.
struct SQLiteCut {
  let readers: [SQLiteConnection]

  /// How long one store's lock is waited for, while other stores' writers wait already. Shorter than they do
  /// (``DatabaseOptions/busyTimeout``), so that nobody fails by a backup.
  private static let lockTimeout = Duration.seconds(1)
  /// How often all locks are tried for. In between, whoever waits has its turn.
  private static let maximumAttempts = 30

  /// Keeps all writers waiting for as long as it takes the readers to begin, some milliseconds.
  init(_ paths: [String]) throws(StorageError) {
    var options = DatabaseOptions()
    options.busyTimeout = Self.lockTimeout
    var writers: [SQLiteConnection] = []
    var readers: [SQLiteConnection] = []
    for path in paths {
      writers.append(try SQLiteConnection(path: path, options: options, cacheKiB: 64, readOnly: false))
      readers.append(try SQLiteConnection(path: path, options: options, cacheKiB: 1_024, readOnly: true))
    }
    try Self.lock(writers)
    defer { for writer in writers { writer.rollBack() } }
    for reader in readers {
      try reader.beginReading()
      // BEGIN alone does not look yet.
      try reader.execute("SELECT 1 FROM sqlite_schema LIMIT 1")
    }
    self.readers = readers
  }

  /// All or, after an error, none.
  private static func lock(_ writers: [SQLiteConnection]) throws(StorageError) {
    var attempt = 1
    while true {
      do throws(StorageError) {
        for writer in writers { try writer.beginWriting([]) }
        return
      } catch {
        for writer in writers { writer.rollBack() }
        guard error.kind == .locked, attempt < maximumAttempts else { throw error }
        attempt += 1
      }
    }
  }

  /// Of all stores.
  func bytes() throws(StorageError) -> Int64 {
    var sum: Int64 = 0
    for reader in readers { sum += try reader.bytes() }
    return sum
  }
}

extension SQLiteConnection {
  /// The size of the store as the open transaction sees it.
  func bytes() throws(StorageError) -> Int64 { try number("PRAGMA page_count") * number("PRAGMA page_size") }

  /// The only row and column of what `sql` answers; 0 when there is none.
  func number(_ sql: String) throws(StorageError) -> Int64 {
    try withPrepared(sql) { statement throws(StorageError) in try statement.step() ? statement.integer(0) : 0 }
  }
}
