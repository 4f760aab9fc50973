import CSQLite
import EventLoop
import Glibc

/// Why the store could not do what it was asked: what failed, the store's own code and words, and what to do about it.
public struct StorageError: Error, Sendable, Equatable {
  /// What a caller can act on.
  public enum Kind: Sendable, Equatable {
    /// No room left on the disk, or the store's own size limit is reached.
    case full
    /// Another process kept the write lock longer than ``DatabaseOptions/busyTimeout``. May pass.
    case locked
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
  /// What went wrong.
  public let message: String
  /// The SQL statement concerned, if one was.
  public let statement: String?
  /// What to do about it, if anything can be.
  public let remedy: String?

  public init(_ kind: Kind, _ message: String, code: Int32 = 0, statement: String? = nil, remedy: String? = nil) {
    self.kind = kind
    self.code = code
    self.message = message
    self.statement = statement
    self.remedy = remedy
  }
}

extension StorageError: CustomStringConvertible {
  public var description: String {
    var text = message
    if code != 0 { text += " (SQLite code \(code))" }
    if let remedy { text += ": \(remedy)" }
    if let statement { text += " [\(statement)]" }
    return text
  }
}

extension StorageError {
  /// The error that `handle` holds after a call answered `code`.
  ///
  /// - Parameter path: the store's file, named in the remedies.
  init(code: Int32, handle: OpaquePointer?, path: String, statement: String? = nil) {
    let extended = handle.map { sqlite3_extended_errcode($0) } ?? code
    // The handle's error is the last call's: use it only when it is about this code.
    let isHandles = extended & 0xff == code & 0xff
    let detail = String(cString: isHandles && handle != nil ? sqlite3_errmsg(handle) : sqlite3_errstr(code))
    let systemError = handle.map { sqlite3_system_errno($0) } ?? 0
    let systemReason = systemError == 0 ? "" : " (\(SystemError("sqlite3", errno: systemError).reason))"
    let directory = StorePath.directory(of: path)
    let kind = Kind(code: code, systemError: isHandles ? systemError : 0)
    let message: String
    let remedy: String?
    switch kind {
    case .full:
      message = "store is full"
      remedy = "free disk space under \(directory)"
    case .locked:
      message = "store \(path) is locked by another process: \(detail)"
      remedy = "try again; if it lasts, look for a process that keeps the file open in a transaction"
    case .cannotOpen:
      message = "store \(path): \(detail)\(systemReason)"
      remedy = "make \(directory) and the files in it readable and writable for this user"
    case .corrupt:
      message = "store \(path): \(detail)"
      remedy = "restore \(path) from a backup, or move it away to begin with an empty one"
    default:
      message = "store \(path): \(detail)\(systemReason)"
      remedy = nil
    }
    self.init(kind, message, code: isHandles ? extended : code, statement: statement, remedy: remedy)
  }
}

extension StorageError.Kind {
  init(code: Int32, systemError: Int32) {
    switch code & 0xff {
    case SQLITE_FULL: self = .full
    // A quota, and the shared-memory file on a full disk, are reported as plain I/O errors.
    case SQLITE_IOERR where systemError == ENOSPC || systemError == EDQUOT: self = .full
    case SQLITE_BUSY, SQLITE_LOCKED: self = .locked
    case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY: self = .cannotOpen
    case SQLITE_CONSTRAINT: self = .constraint
    case SQLITE_CORRUPT, SQLITE_NOTADB: self = .corrupt
    default: self = .other
    }
  }
}
