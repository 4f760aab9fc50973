import Glibc
import Storage
import TestSupport

/// Another address of the tests' server, which a test may take away as if the network were down: a link to its socket's folder.
final class ServerLink: Sendable {
  let location: StoreLocation
  private let target: String
  private let path: String

  init() throws {
    guard case .postgresql = try TestStore.postgresql(), let url = getenv("TEST_POSTGRESQL_URL") else {
      throw StorageError(.cannotOpen, "TEST_POSTGRESQL_URL is no server's")
    }
    // As Tests/Support/postgresql prints it.
    let server = String(cString: url).split(separator: "=").last ?? ""
    target = String(server.replacing("%2F", with: "/"))
    path = "/tmp/oms-link-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    location = try StoreLocation(url: "postgresql://oms@/oms?host=\(path.replacing("/", with: "%2F"))")
    try connect()
  }

  deinit { cut() }

  func connect() throws {
    guard symlink(target, path) == 0 else { throw StorageError(.cannotOpen, "symlink \(path): \(errno)") }
  }

  /// No new session; those that are there stay.
  func cut() { unlink(path) }
}
