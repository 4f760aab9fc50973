import Glibc
import TestSupport

@testable import Storage

/// A store of notes.
final class TemporaryStore: Sendable {
  let files: TestStore
  var directory: String { files.directory }
  var path: String { files.path }

  init(_ engine: TestEngine = .sqlite) throws { files = try TestStore(engine) }

  static let schema = [
    Migration(
      "notes",
      sqlite: ["CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT"],
      postgresql: [
        "CREATE TABLE note (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body TEXT COLLATE \"C\" NOT NULL)"
      ]),
    Migration(
      "links",
      sqlite: ["CREATE TABLE link (id INTEGER REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED) STRICT"],
      postgresql: ["CREATE TABLE link (id BIGINT REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED)"]),
    Migration(
      "values",
      sqlite: ["CREATE TABLE value (id INTEGER PRIMARY KEY, number INTEGER, letters TEXT, bytes BLOB) STRICT"],
      postgresql: [
        "CREATE TABLE value (id BIGINT PRIMARY KEY, number BIGINT, letters TEXT COLLATE \"C\", bytes BYTEA)"
      ]),
  ]

  func open(
    _ migrations: [Migration] = schema, _ configure: (inout DatabaseOptions) -> Void = { _ in }
  ) throws -> Database {
    try files.open(migrations, configure)
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

  /// The only row and column of what `sql` answers.
  func number(_ sql: String) throws -> Int64 {
    try withStatement(sql) { statement throws(StorageError) in
      _ = try statement.step()
      return statement.integer(0)
    }
  }
}

struct Refusal: Error, Equatable {}
