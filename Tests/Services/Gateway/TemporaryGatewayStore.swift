import Glibc
import Storage

@testable import Gateway

/// An empty store of the gateway in a directory of its own that is removed with the last reference.
final class TemporaryGatewayStore: Sendable {
  let directory: String
  let path: String

  init() throws {
    var template = Array("/tmp/oms-gateway-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw StorageError(.cannotOpen, "mkdtemp: \(errno)") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    path = try StorePath.prepare(directory: directory, file: "gateway.sqlite")
  }

  deinit {
    for suffix in ["", "-wal", "-shm", "-turn"] { unlink(path + suffix) }
    rmdir(directory)
  }

  /// As a gateway that starts does; the one before need not have ended.
  func open() throws -> Database { try Database(path: path, migrations: GatewaySchema.migrations) }
}

extension Database {
  /// The first column of a query's only row.
  func number(_ sql: String) async throws -> Int64 {
    try await read { connection in
      try connection.withStatement(sql) { statement in try statement.step() ? statement.integer(0) : 0 }
    }
  }
}
