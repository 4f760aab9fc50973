import EventLoop
import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite("A restore of stores in files")
struct RestoreTests {
  private static let services = ["gateway", "two"]
  private let folder: TemporaryFolder
  private var location: StoreLocation { .sqlite(directory: folder.path("data")) }

  init() throws { folder = try TemporaryFolder() }

  private func open(_ service: String) throws -> Database {
    try Database(service: service, at: location, migrations: TemporaryStore.schema)
  }

  /// Returns when its files are closed, too: threads that have ended let go of them a moment later.
  private func close(_ database: Database) async {
    await database.close()
    while Self.openFiles(under: folder.path("")) > 0 { usleep(1_000) }
  }

  /// A backup of a store with one note.
  private func backUp() async throws -> [StoreBackup.Store] {
    let database = try open("gateway")
    try await database.write { try $0.insertNote("before") }
    mkdir(folder.path("backup"), 0o700)
    let stores = try StoreBackup.make(of: Self.services, at: location, in: folder.path("backup"))
    try await database.write { try $0.insertNote("after") }
    await close(database)
    return stores
  }

  private func restore(_ stores: [StoreBackup.Store], _ mark: String = "1") throws(StorageError) -> [String] {
    try StoreBackup.restore(
      stores, services: Self.services, from: folder.path("backup"), to: location, keepingAs: mark)
  }

  private func notes(_ service: String) async throws -> [String] {
    let database = try open(service)
    let notes = try await database.read { try $0.notes() }
    await close(database)
    return notes
  }

  @Test("puts the backup in the place of what is there, all of which is kept")
  func replaces() async throws {
    let stores = try await backUp()
    await close(try open("two"))
    #expect(try restore(stores) == [folder.path("data.before_1")])
    #expect(try FilePath.names(in: folder.path("data")) == ["gateway.sqlite"])
    #expect(try await notes("gateway") == ["before"])
    let kept = try Database(
      service: "gateway", at: .sqlite(directory: folder.path("data.before_1")), migrations: TemporaryStore.schema)
    #expect(try await kept.read { try $0.notes() } == ["before", "after"])
    await close(kept)
    #expect(try FilePath.names(in: folder.path("data.before_1")).contains("two.sqlite"))
  }

  @Test("works where there was nothing, and where there was a directory without stores")
  func nothingThere() async throws {
    let stores = try await backUp()
    let other = StoreLocation.sqlite(directory: folder.path("new/data"))
    #expect(
      try StoreBackup.restore(
        stores, services: Self.services, from: folder.path("backup"), to: other, keepingAs: "1") == [])
    #expect(try FilePath.names(in: folder.path("new")) == ["data"])
    mkdir(folder.path("empty"), 0o700)
    #expect(
      try StoreBackup.restore(
        stores, services: Self.services, from: folder.path("backup"), to: .sqlite(directory: folder.path("empty/")),
        keepingAs: "1") == [])
    #expect(try FilePath.names(in: folder.path("empty")) == ["gateway.sqlite"])
    #expect(try !FilePath.names(in: folder.path("")).contains { $0.hasPrefix("empty.") })
  }

  /// The ids that were given behind the backup may be known to the OMS, though the store knows nothing of them.
  @Test(
    "messages that wait keep their ids, and new ones have none that was ever given, however often it is restored",
    arguments: [0, 2])
  func outboxIDs(waiting: Int) async throws {
    let outbox = Outbox(service: "two")
    func add(_ count: Int) async throws -> [String] {
      let database = try Database(service: "two", at: location, migrations: OutboxTests.schema)
      let ids = try await database.write { connection in
        try (0..<count).map { _ in try outbox.add(connection, OutboxTests.message()) }
      }
      await close(database)
      return ids
    }
    func rows() async throws -> [String] {
      let database = try Database(service: "two", at: location, migrations: OutboxTests.schema)
      let rows = try await database.read {
        try outbox.rows($0, after: 0, room: OutboxTests.everything, except: { _ in false })
      }
      await close(database)
      return rows.map(\.deliveryID)
    }
    let kept = try await add(waiting)
    mkdir(folder.path("backup"), 0o700)
    let stores = try StoreBackup.make(of: Self.services, at: location, in: folder.path("backup"))
    var given = try await kept + add(2)
    for mark in ["1", "2"] {
      _ = try restore(stores, mark)
      #expect(try await rows() == kept)
      given += try await add(2)
    }
    #expect(Set(given).count == waiting + 6)
  }

  @Test("is refused while any store is open, and changes nothing then")
  func running() async throws {
    let stores = try await backUp()
    let database = try open("gateway")
    let error = #expect(throws: StorageError.self) { try restore(stores) }
    #expect(error?.kind == .locked)
    #expect(error?.message == "store \(folder.path("data/gateway.sqlite")): process \(getpid()) has it open")
    #expect(error?.remedy == "stop all services first")
    await close(database)
    #expect(try FilePath.names(in: folder.path("")) == ["backup", "data"])
    #expect(try await notes("gateway") == ["before", "after"])
  }

  @Test("works on stores that are damaged: that may be why")
  func damaged() async throws {
    let stores = try await backUp()
    let file = try #require(fopen(folder.path("data/gateway.sqlite"), "w"))
    fputs("this is no database", file)
    fclose(file)
    _ = try restore(stores)
    #expect(try await notes("gateway") == ["before"])
  }

  @Test("a backup of which a file is missing changes nothing")
  func incomplete() async throws {
    let stores = try await backUp()
    unlink(folder.path("backup/gateway.sqlite"))
    #expect(throws: StorageError.self) { try restore(stores) }
    #expect(try FilePath.names(in: folder.path("")) == ["backup", "data"])
    #expect(try await notes("gateway") == ["before", "after"])
  }

  @Test("what is kept is never written over")
  func keepsKept() async throws {
    let stores = try await backUp()
    _ = try restore(stores)
    let error = #expect(throws: StorageError.self) { try restore(stores) }
    #expect(error?.message == "\(folder.path("data.before_1")) is there already")
    #expect(try restore(stores, "2") == [folder.path("data.before_2")])
  }

  @Test("a service that had just opened a store does not work on what was put aside")
  func openedBefore() async throws {
    _ = try await backUp()
    let path = folder.path("data/gateway.sqlite")
    // Holds up whoever opens the store, as a restore does.
    var standstill: SQLiteStandstill? = try SQLiteStandstill([path])
    let outcome = Monitor<Result<Void, StorageError>?>(nil)
    try spawnThread(named: "opening") {
      let result: Result<Void, StorageError>
      do throws(StorageError) {
        _ = try SQLiteConnection(path: path, options: DatabaseOptions(), cacheKiB: 64, readOnly: true)
        result = .success(())
      } catch {
        result = .failure(error)
      }
      outcome.withLock { $0 = result }
      outcome.broadcast()
    }
    // By the lock, and by whoever waits for it.
    while Self.openFiles(under: path) < 2 { usleep(1_000) }
    rename(folder.path("data"), folder.path("aside"))
    mkdir(folder.path("data"), 0o700)
    try FilePath.copy(folder.path("backup/gateway.sqlite"), to: path)
    standstill = nil
    #expect(standstill == nil)
    let error = #expect(throws: StorageError.self) { try outcome.wait { $0 }.get() }
    #expect(error?.message == "store \(path) was moved away while it was opened")
  }

  /// How often this process has files open whose paths begin so.
  private static func openFiles(under path: String) -> Int {
    let descriptors = (try? FilePath.names(in: "/proc/self/fd")) ?? []
    var buffer = [CChar](repeating: 0, count: 4_096)
    return descriptors.count { descriptor in
      let count = readlink("/proc/self/fd/\(descriptor)", &buffer, buffer.count)
      guard count > 0 else { return false }
      return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self).hasPrefix(path)
    }
  }
}
