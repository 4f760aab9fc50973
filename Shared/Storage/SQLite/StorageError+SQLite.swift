import CSQLite
import EventLoop
import Glibc

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
