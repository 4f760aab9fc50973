import Glibc
import Storage

/// The engines over which the tests of a store run.
public enum TestEngine: String, CaseIterable, Sendable, CustomStringConvertible {
  case sqlite = "SQLite"
  case postgresql = "PostgreSQL"

  public var description: String { rawValue }
}

/// An empty store of its own for a test: a directory that is removed with the last reference, or a schema on the server at
/// TEST_POSTGRESQL_URL, which `Tests/run` starts and removes.
public final class TestStore: Sendable {
  public let engine: TestEngine
  /// For a socket and the like, too.
  public let directory: String
  public let location: StoreLocation
  /// The name of the service, and so of the file or the schema.
  public let service: String

  /// - Parameter parent: where its directory is made.
  public init(_ engine: TestEngine = .sqlite, in parent: String = "/tmp") throws {
    var template = Array("\(parent)/oms-store-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw StorageError(.cannotOpen, "mkdtemp: \(errno)") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    self.engine = engine
    switch engine {
    case .sqlite:
      location = .sqlite(directory: directory)
      service = "test"
    case .postgresql:
      location = try Self.postgresql()
      service = "test_" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    }
  }

  deinit {
    // With sockets and locks of services, too.
    removeTree(directory)
  }

  /// A directory in memory, where flushing costs nothing; as others where there is none.
  public static let memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"

  /// The file of SQLite.
  public var path: String { "\(directory)/\(service).sqlite" }

  public func open(
    _ migrations: [Migration], _ configure: (inout DatabaseOptions) -> Void = { _ in }
  ) throws -> Database {
    var options = DatabaseOptions()
    // Bodies of tests wait at gates, and others for them. On SQLite who opens a store would wait, too, in a thread that all share.
    options.silenceTimeout = .seconds(60)
    if case .postgresql = location { options.busyTimeout = .seconds(60) }
    configure(&options)
    return try Database(service: service, at: location, migrations: migrations, options: options)
  }

  /// - Throws: an error that says what to do when no server was started for the tests.
  public static func postgresql() throws -> StoreLocation {
    guard let url = getenv("TEST_POSTGRESQL_URL") else {
      throw StorageError(
        .cannotOpen, "TEST_POSTGRESQL_URL is not set",
        remedy: "run Tests/run, which starts a server, or set it to what Tests/Support/postgresql start DIR prints")
    }
    return try StoreLocation(url: String(cString: url))
  }
}
