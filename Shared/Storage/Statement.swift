import CSQLite

/// A prepared statement, lent by ``Connection/withStatement(_:_:)`` for the time of its closure: don't keep it.
///
/// Parameters count from 1, columns from 0. Bound values stay until bound anew, so constant ones are bound once and
/// only the others per row.
///
/// For PostgreSQL an integer is a `BIGINT`, a text a `TEXT` and bytes are `BYTEA`: what asks for less needs a `CAST`.
public struct Statement {
  // Not one case per engine: a payload would be retained and released around each call of a bulk write.
  /// SQLite's; nil on PostgreSQL.
  let handle: OpaquePointer?
  private let database: OpaquePointer?
  /// PostgreSQL's; nil on SQLite.
  private let query: PostgreSQLStatement?
  let connection: Connection
  let sql: String

  init(handle: OpaquePointer, connection: SQLiteConnection, sql: String) {
    self.handle = handle
    database = connection.handle
    query = nil
    self.connection = connection
    self.sql = sql
  }

  init(_ query: PostgreSQLStatement, connection: PostgreSQLConnection) {
    handle = nil
    database = nil
    self.query = query
    self.connection = connection
    sql = query.sql
  }

  var postgresql: PostgreSQLStatement {
    guard let query else { preconditionFailure("a statement of SQLite") }
    return query
  }

  // MARK: Parameters

  /// Binds an integer.
  @inline(__always)
  public func bind(_ value: Int64, at parameter: Int32) throws(StorageError) {
    guard let handle else { return try postgresql.bind(value, at: parameter) }
    let code = sqlite3_bind_int64(handle, parameter, value)
    if code != SQLITE_OK { throw failure(code) }
  }

  /// Binds a truth value as 1 or 0.
  @inline(__always)
  public func bind(_ value: Bool, at parameter: Int32) throws(StorageError) {
    try bind(value ? 1 : 0, at: parameter)
  }

  /// Binds a copy of a text.
  public func bind(_ value: String, at parameter: Int32) throws(StorageError) {
    guard let handle else { return try postgresql.bind(value, at: parameter) }
    var value = value
    let code = value.withUTF8 { bytes in
      sqlite3_bind_text64(handle, parameter, characters(bytes), UInt64(bytes.count), transient, UInt8(SQLITE_UTF8))
    }
    if code != SQLITE_OK { throw failure(code) }
  }

  /// Binds a copy of some bytes.
  public func bind(_ value: [UInt8], at parameter: Int32) throws(StorageError) {
    guard let handle else { return try postgresql.bind(value, at: parameter) }
    let code = value.withUnsafeBytes { bytes in
      sqlite3_bind_blob64(
        handle, parameter, bytes.baseAddress ?? UnsafeRawPointer(emptyText), UInt64(bytes.count), transient)
    }
    if code != SQLITE_OK { throw failure(code) }
  }

  /// Binds NULL.
  public func bindNull(at parameter: Int32) throws(StorageError) {
    guard let handle else { return try postgresql.bindNull(at: parameter) }
    let code = sqlite3_bind_null(handle, parameter)
    if code != SQLITE_OK { throw failure(code) }
  }

  /// Binds an integer, or NULL for nil.
  public func bind(_ value: Int64?, at parameter: Int32) throws(StorageError) {
    guard handle != nil else { return try postgresql.bind(value, at: parameter) }
    if let value { try bind(value, at: parameter) } else { try bindNull(at: parameter) }
  }

  // MARK: Running

  /// Runs a statement that answers no rows, and makes it ready to run again.
  ///
  /// - Returns: how many rows it inserted, updated or deleted.
  @discardableResult
  @inline(__always)
  public func run() throws(StorageError) -> Int {
    guard let handle else { return try postgresql.run() }
    let code = sqlite3_step(handle)
    if code != SQLITE_DONE {
      let error = failure(code)
      sqlite3_reset(handle)
      throw error
    }
    sqlite3_reset(handle)
    return Int(sqlite3_changes(database))
  }

  /// As ``run()``, with one text bound for the time of the call and not copied: the path of bulk writes.
  @discardableResult
  @inline(__always)
  public func run(text value: String, at parameter: Int32) throws(StorageError) -> Int {
    guard let handle else {
      try postgresql.bind(value, at: parameter)
      return try postgresql.run()
    }
    var value = value
    let code = value.withUTF8 { bytes in
      let bound = sqlite3_bind_text64(
        handle, parameter, characters(bytes), UInt64(bytes.count), nil, UInt8(SQLITE_UTF8))
      return bound == SQLITE_OK ? sqlite3_step(handle) : bound
    }
    let error = code == SQLITE_DONE ? nil : failure(code)
    sqlite3_reset(handle)
    // The bytes are gone now. SQLite doesn't look at a bound text before the next step, and that comes after the next bind.
    if let error { throw error }
    return Int(sqlite3_changes(database))
  }

  /// Goes to the next row.
  ///
  /// - Returns: false after the last one; the next call runs the statement again.
  public func step() throws(StorageError) -> Bool {
    guard let handle else { return try postgresql.step() }
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE:
      // Ready to be bound anew.
      sqlite3_reset(handle)
      return false
    case let code: throw failure(code)
    }
  }

  // MARK: Columns of the current row

  /// An integer column.
  public func integer(_ column: Int32) -> Int64 {
    guard let handle else { return postgresql.integer(column) }
    return sqlite3_column_int64(handle, column)
  }

  /// An integer column as a truth value.
  public func bool(_ column: Int32) -> Bool { integer(column) != 0 }

  /// A text column; empty for NULL.
  public func text(_ column: Int32) -> String {
    guard let handle else { return postgresql.text(column) }
    guard let bytes = sqlite3_column_text(handle, column) else { return "" }
    let count = Int(sqlite3_column_bytes(handle, column))
    return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
  }

  /// A column of bytes; empty for NULL.
  public func blob(_ column: Int32) -> [UInt8] {
    guard let handle else { return postgresql.blob(column) }
    guard let bytes = sqlite3_column_blob(handle, column) else { return [] }
    return Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))))
  }

  /// Whether a column is NULL.
  public func isNull(_ column: Int32) -> Bool {
    guard let handle else { return postgresql.isNull(column) }
    return sqlite3_column_type(handle, column) == SQLITE_NULL
  }

  // MARK: Within

  private func failure(_ code: Int32) -> StorageError {
    guard let connection = connection as? SQLiteConnection else { preconditionFailure("a statement of PostgreSQL") }
    return connection.noted(code, statement: sql)
  }
}

/// SQLite takes a null pointer for NULL, and an empty buffer may have one.
@inline(__always)
private func characters(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafePointer<CChar> {
  guard let base = bytes.baseAddress else { return emptyText }
  return UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self)
}

// One byte, never written again and never freed.
private nonisolated(unsafe) let emptyText: UnsafePointer<CChar> = {
  let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
  byte.initialize(to: 0)
  return UnsafePointer(byte)
}()

/// SQLITE_TRANSIENT, a macro that Swift doesn't import: SQLite copies the text.
private let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
