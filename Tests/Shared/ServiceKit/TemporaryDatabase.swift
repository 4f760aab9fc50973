import Glibc
import Storage

/// An empty store in a directory of its own that is removed with the last reference.
final class TemporaryDatabase: Sendable {
  private let directory: String
  private let path: String
  private let migrations: [Migration]
  let database: Database

  init(_ migrations: [Migration]) throws {
    var template = Array("/tmp/oms-servicekit-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw StorageError(.cannotOpen, "mkdtemp: \(errno)") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    path = try StorePath.prepare(directory: directory, file: "test.sqlite")
    self.migrations = migrations
    database = try Database(path: path, migrations: migrations)
  }

  deinit {
    for suffix in ["", "-wal", "-shm", "-turn"] { unlink(path + suffix) }
    rmdir(directory)
  }

  /// The same store, as another replica sees it.
  func another() throws -> Database { try Database(path: path, migrations: migrations) }
}
