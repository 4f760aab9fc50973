/// Why the store could not do what it was asked: what failed, the store's own code and words, and what to do about it.
public struct StorageError: Error, Sendable, Equatable {
  /// What a caller can act on.
  public enum Kind: Sendable, Equatable {
    /// No room left on the disk, or the store's own size limit is reached.
    case full
    /// Another process kept a lock longer than ``DatabaseOptions/busyTimeout``, or got in the way again and again. May pass.
    case locked
    /// The database server can't be reached; nothing was changed. May pass.
    case unavailable
    /// The connection was lost while the server committed: the write may be durable or may have left no trace. Do it again,
    /// if doing it twice does no harm.
    case outcomeUnknown
    /// A statement ran longer than ``DatabaseOptions/statementTimeout``.
    case timedOut
    /// Too many calls wait for the store already. May pass.
    case overloaded
    /// ``Database/close()`` was called.
    case closed
    /// The file was written by a newer version of the software.
    case newerSchema
    /// The file or its directory can't be opened, made or written.
    case cannotOpen
    /// A rule of the schema was broken. The caller's fault.
    case constraint
    /// The file is damaged or is not a store.
    case corrupt
    /// Everything else, such as an I/O error.
    case other
  }

  public let kind: Kind
  /// SQLite's extended result code; 0 when the error does not come from SQLite.
  public let code: Int32
  /// PostgreSQL's five characters (its manual, appendix A); nil when the error does not come from a PostgreSQL server.
  public let sqlState: String?
  /// What went wrong.
  public let message: String
  /// The SQL statement concerned, if one was.
  public let statement: String?
  /// What to do about it, if anything can be.
  public let remedy: String?

  public init(
    _ kind: Kind, _ message: String, code: Int32 = 0, sqlState: String? = nil, statement: String? = nil,
    remedy: String? = nil
  ) {
    self.kind = kind
    self.code = code
    self.sqlState = sqlState
    self.message = message
    self.statement = statement
    self.remedy = remedy
  }
}

extension StorageError: CustomStringConvertible {
  public var description: String {
    var text = message
    if code != 0 { text += " (SQLite code \(code))" }
    if let sqlState { text += " (SQLSTATE \(sqlState))" }
    if let remedy { text += ": \(remedy)" }
    if let statement { text += " [\(statement)]" }
    return text
  }
}

extension StorageError {
  /// The same error with what was being done in front of its message.
  func explained(_ prefix: String) -> StorageError {
    StorageError(
      kind, "\(prefix): \(message)", code: code, sqlState: sqlState, statement: statement, remedy: remedy)
  }

  /// The same error with another remedy.
  func advising(_ remedy: String) -> StorageError {
    StorageError(kind, message, code: code, sqlState: sqlState, statement: statement, remedy: remedy)
  }

  /// The same error about a statement as its caller wrote it.
  func naming(_ statement: String) -> StorageError {
    StorageError(kind, message, code: code, sqlState: sqlState, statement: statement, remedy: remedy)
  }
}
