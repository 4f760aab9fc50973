import Storage
import TestSupport
import Testing

@Suite("The lock of a store")
struct StoreLockTests {
  @Test("one process at a time has it; the next gets it when it is given back", arguments: TestEngine.allCases)
  func exclusive(engine: TestEngine) throws {
    let store = try TestStore(engine)
    let first = try StoreLock.acquire(service: store.service, at: store.location)
    let error = #expect(throws: StorageError.self) {
      try StoreLock.acquire(service: store.service, at: store.location)
    }
    #expect(error?.kind == .locked)
    first.release()
    let second = try StoreLock.acquire(service: store.service, at: store.location)
    second.release()
    second.release()
  }

  @Test("who waits gets it as soon as the other one has ended", arguments: TestEngine.allCases)
  func waiting(engine: TestEngine) async throws {
    let store = try TestStore(engine)
    let first = try StoreLock.acquire(service: store.service, at: store.location)
    async let second = Task.detached {
      try StoreLock.acquire(service: store.service, at: store.location, waiting: .seconds(60))
    }.value
    first.release()
    try await second.release()
  }

  @Test("stores of different services have locks of their own", arguments: TestEngine.allCases)
  func services(engine: TestEngine) throws {
    let (store, other) = (try TestStore(engine), try TestStore(engine))
    let first = try StoreLock.acquire(service: store.service, at: store.location)
    let second = try StoreLock.acquire(service: other.service, at: other.location)
    first.release()
    second.release()
  }

  @Test("a lock that was lost with its connection says so, and is free for others")
  func loss() async throws {
    let store = try TestStore(.postgresql)
    let lost = AsyncStream<StorageError>.makeStream()
    let first = try StoreLock.acquire(service: store.service, at: store.location) { error in
      lost.continuation.yield(error)
    }
    try await ServerSessions.end(of: store)
    let error = await lost.stream.first { _ in true }
    #expect(error?.kind == .unavailable)
    let second = try StoreLock.acquire(service: store.service, at: store.location)
    second.release()
    first.release()
  }
}
