import CSQLite

/// A prepared statement, lent by ``Connection/withStatement(_:_:)`` for the time of its closure: don't keep it.
///
/// Parameters count from 1, columns from 0. Bound values stay until bound anew, so constant ones are bound once and
/// only the others per row.
public struct Statement {
  let handle: OpaquePointer
  let connection: Connection
  let sql: String

  // MARK: Parameters

  /// Binds an integer.
  @inline(__always)
  public func bind(_ value: Int64, at parameter: Int32) throws(StorageError) {
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
    var value = value
    let code = value.withUTF8 { bytes in
      sqlite3_bind_text64(handle, parameter, characters(bytes), UInt64(bytes.count), transient, UInt8(SQLITE_UTF8))
    }
    if code != SQLITE_OK { throw failure(code) }
  }

  /// Binds a copy of some bytes.
  public func bind(_ value: [UInt8], at parameter: Int32) throws(StorageError) {
    let code = value.withUnsafeBytes { bytes in
      sqlite3_bind_blob64(handle, parameter, bytes.baseAddress ?? UnsafeRawPointer(emptyText), UInt64(bytes.count), transient)
    }
    if code != SQLITE_OK { throw failure(code) }
  }

  /// Binds NULL.
  public func bindNull(at parameter: Int32) throws(StorageError) {
    let code = sqlite3_bind_null(handle, parameter)
    if code != SQLITE_OK { throw failure(code) }
  }

  /// Binds an integer, or NULL for nil.
  public func bind(_ value: Int64?, at parameter: Int32) throws(StorageError) {
    if let value { try bind(value, at: parameter) } else { try bindNull(at: parameter) }
  }

  // MARK: Running

  /// Runs a statement that answers no rows, and makes it ready to run again.
  ///
  /// - Returns: how many rows it inserted, updated or deleted.
  @discardableResult
  @inline(__always)
  public func run() throws(StorageError) -> Int {
    let code = sqlite3_step(handle)
    if code != SQLITE_DONE {
      let error = failure(code)
      sqlite3_reset(handle)
      throw error
    }
    sqlite3_reset(handle)
    return Int(sqlite3_changes(connection.handle))
  }

  /// As ``run()``, with one text bound for the time of the call and not copied: the path of bulk writes.
  @discardableResult
  @inline(__always)
  public func run(text value: String, at parameter: Int32) throws(StorageError) -> Int {
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
    return Int(sqlite3_changes(connection.handle))
  }

  /// Goes to the next row.
  ///
  /// - Returns: false after the last one.
  public func step() throws(StorageError) -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let code: throw failure(code)
    }
  }

  // MARK: Columns of the current row

  /// An integer column.
  public func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

  /// An integer column as a truth value.
  public func bool(_ column: Int32) -> Bool { integer(column) != 0 }

  /// A text column; empty for NULL.
  public func text(_ column: Int32) -> String {
    guard let bytes = sqlite3_column_text(handle, column) else { return "" }
    let count = Int(sqlite3_column_bytes(handle, column))
    return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
  }

  /// A column of bytes; empty for NULL.
  public func blob(_ column: Int32) -> [UInt8] {
    guard let bytes = sqlite3_column_blob(handle, column) else { return [] }
    return Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))))
  }

  /// Whether a column is NULL.
  public func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

  // MARK: Within

  private func failure(_ code: Int32) -> StorageError {
    StorageError(code: code, handle: connection.handle, path: connection.path, statement: sql)
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
