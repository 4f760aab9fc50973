import Glibc
import Storage
import TestSupport
import Testing

@Suite("A store in a file")
struct SQLiteFileTests {
  let store: TemporaryStore

  init() throws { store = try TemporaryStore() }

  @Test("a full store fails the write with the remedy, keeps what was durable, and recovers")
  func full() async throws {
    // 12 pages of 4 KiB: the schema and a little more.
    let database = try store.open { $0.maximumPages = 12 }
    try await database.write { try $0.insertNote("small") }
    let large = String(repeating: "x", count: 100_000)
    let error = await #expect(throws: StorageError.self) { try await database.write { try $0.insertNote(large) } }
    #expect(error?.kind == .full)
    #expect(error?.message == "store is full")
    #expect(error?.remedy == "free disk space under \(store.directory)")
    #expect(error?.statement == "INSERT INTO note (body) VALUES (?1)")
    try await database.write { try $0.insertNote("still works") }
    #expect(try await database.read { try $0.notes() } == ["small", "still works"])
    await database.close()
  }

  @Test("a store that fills up in the middle of a commit fails all of it")
  func fullInBatch() async throws {
    let database = try store.open { $0.maximumPages = 12 }
    let gate = Gate()
    let holding = try database.enqueueWrite { _ in gate.pass() }
    await gate.waitUntilEntered()
    let large = String(repeating: "x", count: 100_000)
    let first = try database.enqueueWrite { try $0.insertNote("first") }
    let second = try database.enqueueWrite { try $0.insertNote(large) }
    let third = try database.enqueueWrite { try $0.insertNote("third") }
    gate.open()
    try await holding.value()
    for job in [first, second, third] {
      let error = await #expect(throws: StorageError.self) { try await job.value() }
      #expect(error?.kind == .full)
    }
    #expect(try await database.read { try $0.notes() }.isEmpty)
    try await database.write { try $0.insertNote("after") }
    await database.close()
  }

  @Test("what was durable is there when a store is opened that nobody closed")
  func abandoned() async throws {
    let abandoned = try store.open()
    try await abandoned.write { try $0.insertNote("kept") }
    let copy = try TemporaryStore()
    // As after a crash: the file and its log as they lie, without a last checkpoint.
    for suffix in ["", "-wal"] { try copyFile(store.path + suffix, copy.path + suffix) }
    #expect(copy.logBytes > 0)
    let database = try copy.open()
    #expect(try await database.read { try $0.notes() } == ["kept"])
    await database.close()
    await abandoned.close()
  }

  @Test("a file that is not a store is refused")
  func notAStore() throws {
    let file = try #require(fopen(store.path, "w"))
    fputs(String(repeating: "this is no database. ", count: 100), file)
    fclose(file)
    let error = #expect(throws: StorageError.self) { try store.open() }
    #expect(error?.kind == .corrupt)
  }

  @Test("the log is copied into the file and does not grow without limit")
  func logIsBounded() async throws {
    let database = try store.open { $0.checkpointPages = 50 }
    let body = String(repeating: "x", count: 4_000)
    for _ in 0..<1_000 { try await database.write { try $0.insertNote(body) } }
    // 4 MB were written; 50 pages, one commit and the log's own headers remain.
    #expect(store.logBytes < 400_000)
    await database.close()
  }

  private func copyFile(_ from: String, _ to: String) throws {
    let input = try #require(fopen(from, "r"))
    let output = try #require(fopen(to, "w"))
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&buffer, 1, buffer.count, input), count > 0 { fwrite(buffer, 1, count, output) }
    fclose(input)
    fclose(output)
  }
}
