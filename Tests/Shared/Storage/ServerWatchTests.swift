import EventLoop
import TestSupport
import Testing

@testable import Storage

@Suite("A watch of a server", .timeLimit(.minutes(2)))
struct ServerWatchTests {
  private func watch(
    _ location: StoreLocation
  ) throws -> (watch: ServerWatch?, changes: AsyncStream<StorageError?>.AsyncIterator) {
    let (changes, continuation) = AsyncStream.makeStream(of: StorageError?.self)
    let watch = try ServerWatch.start(of: "test", at: location, interval: .milliseconds(10)) {
      continuation.yield($0)
    }
    return (watch, changes.makeAsyncIterator())
  }

  @Test(
    "tells that the server is away, and why, and that it is there again, each once", arguments: ["fast", "immediate"])
  func restart(mode: String) async throws {
    let server = try PrivateServer()
    var (watch, changes) = try watch(server.location)
    for _ in 0..<2 {
      try server.stop(mode)
      #expect(await changes.next()??.kind == .unavailable)
      try server.start()
      #expect(await changes.next() == .some(nil))
    }
    watch?.stop()
  }

  @Test("a connection that somebody ends says nothing of the server")
  func endedConnection() async throws {
    let server = try PrivateServer()
    var (watch, changes) = try watch(server.location)
    let database = try server.open()
    // Idle ones have asked and been answered.
    let asking = "FROM pg_stat_activity WHERE query = 'SELECT 1' AND state = 'idle'"
    var last: Int64 = 0
    for _ in 0..<3 {
      let before = last
      while last == before {
        last = try await database.write {
          try $0.number("SELECT CAST(coalesce(max(pid), \(before)) AS BIGINT) \(asking)")
        }
      }
      let pid = last
      #expect(
        try await database.write { try $0.number("SELECT count(*) WHERE pg_terminate_backend(\(pid), 60000)") } == 1)
    }
    try server.stop("fast")
    #expect(await changes.next()??.kind == .unavailable, "that is the first that is told")
    watch?.stop()
    try server.start()
    await database.close()
  }

  @Test("a store on SQLite has none")
  func sqlite() throws {
    #expect(try watch(.sqlite(directory: "/nowhere")).watch == nil)
  }
}
