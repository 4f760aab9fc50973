import Storage
import TestSupport
import Testing

@Suite("The lock of a store on SQLite")
struct StoreLockTests {
  @Test("one process at a time has it; the next gets it when it is given back")
  func exclusive() throws {
    let store = try TestStore()
    let first = try StoreLock.acquire(service: store.service, directory: store.directory)
    let error = #expect(throws: StorageError.self) {
      try StoreLock.acquire(service: store.service, directory: store.directory)
    }
    #expect(error?.kind == .locked)
    first.release()
    let second = try StoreLock.acquire(service: store.service, directory: store.directory)
    second.release()
    second.release()
  }

  @Test("who tries again and again gets it as soon as the other one has ended")
  func tryingAgain() async throws {
    let store = try TestStore()
    let first = try StoreLock.acquire(service: store.service, directory: store.directory)
    let (refusals, refused) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let second = Task.detached { () async throws -> StoreLock in
      defer { refused.finish() }
      while true {
        do throws(StorageError) {
          return try StoreLock.acquire(service: store.service, directory: store.directory)
        } catch {
          guard error.kind == .locked else { throw error }
          refused.yield()
          await Task.yield()
        }
      }
    }
    for await _ in refusals { break }
    first.release()
    try await second.value.release()
  }

  @Test("stores of different services have locks of their own")
  func services() throws {
    let (store, other) = (try TestStore(), try TestStore())
    let first = try StoreLock.acquire(service: store.service, directory: store.directory)
    let second = try StoreLock.acquire(service: other.service, directory: other.directory)
    first.release()
    second.release()
  }
}
