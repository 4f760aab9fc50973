import CSQLite

/// The outbox of a store in a file that was just brought back from a backup.
///
/// What the service added behind the backup may have reached the OMS, under ids that SQLite would give to others now: and who
/// knows a message by its id would drop the new one. Messages that wait in the backup keep their ids, by which they are known.
enum RestoredOutbox {
  /// Goes on with ids that no message of the store ever had, whichever backup of it is restored how often: by the time of day, as
  /// on PostgreSQL. Does nothing to a store without an outbox.
  static func raiseIDs(_ path: String, now: Int64) throws(StorageError) {
    let handle = try SQLiteCopy.open(path)
    defer { sqlite3_close_v2(handle) }
    let table = try SQLiteCopy.text(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'outbox'", handle, path)
    if table.isEmpty { return }
    // SQLite notes the last id when the first row is added, and not before.
    let noted = "SELECT 1 FROM sqlite_sequence WHERE name = 'outbox'"
    for sql in [
      "INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox', 0 WHERE NOT EXISTS (\(noted))",
      "UPDATE sqlite_sequence SET seq = max(seq, \(Outbox.id(at: now))) WHERE name = 'outbox'",
    ] {
      _ = try SQLiteCopy.text(sql, handle, path)
    }
  }
}
