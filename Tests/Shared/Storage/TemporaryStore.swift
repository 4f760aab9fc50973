import Glibc

@testable import Storage

/// A store in a directory of its own that is removed with the last reference.
final class TemporaryStore: Sendable {
  let directory: String
  let path: String

  init() throws {
    var template = Array("/tmp/oms-storage-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw StorageError(.cannotOpen, "mkdtemp: \(errno)") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    path = try StorePath.prepare(directory: directory, file: "test.sqlite")
  }

  deinit {
    for suffix in ["", "-wal", "-shm", "-turn"] { unlink(path + suffix) }
    rmdir(directory)
  }

  static let schema = [
    Migration("notes", ["CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT"]),
    Migration(
      "links",
      ["CREATE TABLE link (id INTEGER REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED) STRICT"]),
  ]

  func open(_ configure: (inout DatabaseOptions) -> Void = { _ in }) throws -> Database {
    var options = DatabaseOptions()
    configure(&options)
    return try Database(path: path, migrations: Self.schema, options: options)
  }

  /// Bytes of the write-ahead log.
  var logBytes: Int {
    var status = stat()
    return stat(path + "-wal", &status) == 0 ? Int(status.st_size) : 0
  }
}

extension Connection {
  func insertNote(_ body: String) throws {
    try withStatement("INSERT INTO note (body) VALUES (?1)") { statement throws(StorageError) in
      _ = try statement.run(text: body, at: 1)
    }
  }

  /// A row whose parent is missing: the deferred rule fails the COMMIT, as a full disk or an I/O error may.
  func insertDanglingLink() throws {
    try execute("INSERT INTO link (id) VALUES (99999)")
  }

  func notes() throws -> [String] {
    try withStatement("SELECT body FROM note ORDER BY id") { statement throws(StorageError) in
      var notes: [String] = []
      while try statement.step() { notes.append(statement.text(0)) }
      return notes
    }
  }
}

struct Refusal: Error, Equatable {}

/// Keeps the writing thread inside a body until it is opened, so that what is handed over meanwhile is known to wait.
final class Gate: Sendable {
  private let state = Monitor((isEntered: false, isOpen: false))

  func pass() {
    state.withLock { $0.isEntered = true }
    state.broadcast()
    state.wait { $0.isOpen ? () : nil }
  }

  func waitUntilEntered() { state.wait { $0.isEntered ? () : nil } }

  func open() {
    state.withLock { $0.isOpen = true }
    state.broadcast()
  }
}
