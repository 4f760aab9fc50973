import EventLoop
import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite("A backup of stores in files")
struct BackupTests {
  private static let services = ["one", "two"]
  private let folder: TemporaryFolder
  private var location: StoreLocation { .sqlite(directory: folder.path("data")) }

  init() throws { folder = try TemporaryFolder() }

  private func open(_ service: String, _ configure: (inout DatabaseOptions) -> Void = { _ in }) throws -> Database {
    var options = DatabaseOptions()
    configure(&options)
    return try Database(service: service, at: location, migrations: TemporaryStore.schema, options: options)
  }

  private func backUp(to name: String) throws -> [StoreBackup.Store] {
    mkdir(folder.path(name), 0o700)
    return try StoreBackup.make(of: Self.services, at: location, in: folder.path(name))
  }

  private func notes(_ path: String) throws -> [String] {
    let connection = try SQLiteConnection(path: path, options: DatabaseOptions(), cacheKiB: 64, readOnly: true)
    return try connection.notes()
  }

  @Test("has all stores as of one instant, while they are written to")
  func oneInstant() async throws {
    let (one, two) = (try open("one"), try open("two"))
    let isOver = Monitor(false)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        // What is in the second is in the first already.
        while !isOver.withLock({ $0 }) {
          try await one.write { try $0.insertNote("x") }
          try await two.write { try $0.insertNote("x") }
        }
      }
      for round in 0..<20 {
        // A few more each time: the cut falls anywhere.
        try await one.write { try $0.insertNote("between") }
        try await two.write { try $0.insertNote("between") }
        let stores = try backUp(to: "copy-\(round)")
        #expect(stores.map(\.service) == Self.services)
        #expect(stores.map(\.schemaVersion) == [3, 3])
        let counts = try Self.services.map { try notes(folder.path("copy-\(round)/\($0).sqlite")).count }
        #expect((0...2).contains(counts[0] - counts[1]), "\(counts)")
      }
      isOver.withLock { $0 = true }
      try await group.waitForAll()
    }
    await one.close()
    await two.close()
  }

  @Test("leaves out services without a store, and fails when there is none")
  func missing() async throws {
    await (try open("two")).close()
    #expect(try backUp(to: "copy").map(\.service) == ["two"])
    #expect(try FilePath.names(in: folder.path("copy")) == ["two.sqlite"])
    let error = #expect(throws: StorageError.self) {
      try StoreBackup.make(of: ["three"], at: location, in: folder.path("copy"))
    }
    #expect(error?.message == "there is no store in \(folder.path("data"))")
  }

  @Test("tells how far it is")
  func progress() async throws {
    let database = try open("one")
    let body = String(repeating: "x", count: 4_000)
    try await database.write { connection in for _ in 0..<3_000 { try connection.insertNote(body) } }
    mkdir(folder.path("copy"), 0o700)
    var told: [(Int64, Int64)] = []
    _ = try StoreBackup.make(of: Self.services, at: location, in: folder.path("copy")) { told.append(($0, $1)) }
    await database.close()
    #expect(told.count >= 3)
    #expect(told.map(\.0) == told.map(\.0).sorted())
    #expect(told.last.map { $0.0 == $0.1 } == true)
  }

  @Test("has its name only once it is whole")
  func directory() throws {
    let directory = try BackupDirectory(making: folder.path("backup"))
    #expect(throws: StorageError.self) { try BackupDirectory(making: folder.path("backup")) }
    try directory.write("whole", to: "file")
    #expect(try FilePath.names(in: folder.path("")) == ["backup.part"])
    try directory.finish()
    #expect(try FilePath.names(in: folder.path("backup")) == ["file"])
    #expect(throws: StorageError.self) { try BackupDirectory(making: folder.path("backup/")) }
    let other = try BackupDirectory(making: folder.path("other"))
    try other.write("", to: "file")
    other.discard()
    #expect(try FilePath.names(in: folder.path("")) == ["backup"])
  }

  @Test("a file's digest is the one that sha256sum prints")
  func digest() throws {
    try FilePath.write(Array("abc".utf8), to: folder.path("abc"))
    let digest = try FileDigest(of: folder.path("abc"))
    // FIPS 180-4's example
    #expect(digest.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(digest.bytes == 3)
  }

  @Test("a backup that goes on for long does not hold up the writer at each commit")
  func longReader() async throws {
    // A checkpoint that waited as long as for a lock would wait for an hour.
    let database = try open("one") {
      $0.checkpointPages = 10
      $0.busyTimeout = .seconds(3_600)
    }
    try await database.write { try $0.insertNote("first") }
    let path = folder.path("data/one.sqlite")
    var reader: SQLiteConnection? = try SQLiteConnection(
      path: path, options: DatabaseOptions(), cacheKiB: 64, readOnly: true)
    try reader?.beginReading()
    #expect(try reader?.notes() == ["first"])
    let body = String(repeating: "x", count: 4_000)
    for _ in 0..<100 { try await database.write { try $0.insertNote(body) } }
    #expect(try reader?.notes() == ["first"])
    reader = nil
    for _ in 0..<100 { try await database.write { try $0.insertNote(body) } }
    var status = stat()
    #expect(stat(path + "-wal", &status) == 0 && status.st_size < 100 * 4_096, "the log shrinks again")
    await database.close()
  }
}
