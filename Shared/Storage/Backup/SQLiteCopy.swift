import CSQLite

/// A copy of a store in a file of its own, made by SQLite's backup interface.
enum SQLiteCopy {
  /// Pages between two looks at how far it is: 4 MiB.
  private static let pagesPerStep: Int32 = 1_024

  /// - Parameters:
  ///   - reader: with a transaction open: the copy is what that sees, whatever is written meanwhile.
  ///   - path: where there is no file yet.
  ///   - onProgress: told the bytes that are there.
  static func make(
    of reader: SQLiteConnection, at path: String, _ onProgress: (Int64) -> Void
  ) throws(StorageError) {
    try FilePath.makeFile(path)
    let copy = try open(path)
    defer { sqlite3_close_v2(copy) }
    // It is flushed as a whole at the end.
    _ = try text("PRAGMA synchronous = OFF", copy, path)
    try copyPages(of: reader, to: copy, path, onProgress)
    // The copy's header says WAL as the store's does: nobody should need more than this one file.
    let mode = try text("PRAGMA journal_mode = DELETE", copy, path)
    guard mode == "delete" else { throw StorageError(.other, "\(path): its journal mode stays \"\(mode)\"") }
    let finding = try text("PRAGMA quick_check(1)", copy, path)
    guard finding == "ok" else {
      throw StorageError(
        .corrupt, "store \(reader.path): its copy is damaged: \(finding)",
        remedy: "stop the service, save the file, and restore an earlier backup")
    }
    try FilePath.flush(path)
  }

  private static func copyPages(
    of reader: SQLiteConnection, to copy: OpaquePointer, _ path: String, _ onProgress: (Int64) -> Void
  ) throws(StorageError) {
    let pageSize = try reader.number("PRAGMA page_size")
    guard let backup = sqlite3_backup_init(copy, "main", reader.handle, "main") else {
      throw StorageError(code: sqlite3_errcode(copy), handle: copy, path: path)
    }
    // Nothing of this is ever in the way of it: the store's transaction is open already, and nobody else knows the copy.
    var code = SQLITE_OK
    while code == SQLITE_OK {
      code = sqlite3_backup_step(backup, pagesPerStep)
      let copied = sqlite3_backup_pagecount(backup) - sqlite3_backup_remaining(backup)
      onProgress(Int64(copied) * pageSize)
    }
    let end = sqlite3_backup_finish(backup)
    guard code == SQLITE_DONE, end == SQLITE_OK else {
      throw StorageError(code: code == SQLITE_DONE ? end : code, handle: copy, path: path)
    }
  }

  static func open(_ path: String) throws(StorageError) -> OpaquePointer {
    var opened: OpaquePointer?
    let code = sqlite3_open_v2(path, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
    guard code == SQLITE_OK, let opened else {
      let error = StorageError(code: code, handle: opened, path: path)
      sqlite3_close_v2(opened)
      throw error
    }
    return opened
  }

  /// The first column of the first row that `sql` answers.
  static func text(_ sql: String, _ handle: OpaquePointer, _ path: String) throws(StorageError) -> String {
    var statement: OpaquePointer?
    var code = sqlite3_prepare_v2(handle, sql, -1, &statement, nil)
    defer { sqlite3_finalize(statement) }
    if code == SQLITE_OK { code = sqlite3_step(statement) }
    guard code == SQLITE_ROW || code == SQLITE_DONE else {
      throw StorageError(code: code, handle: handle, path: path, statement: sql)
    }
    return code == SQLITE_ROW ? sqlite3_column_text(statement, 0).map { String(cString: $0) } ?? "" : ""
  }
}
