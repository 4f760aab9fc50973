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

  @Test("who waits gets it as soon as the other one has ended")
  func waiting() async throws {
    let store = try TestStore()
    let first = try StoreLock.acquire(service: store.service, directory: store.directory)
    async let second = Task.detached {
      try StoreLock.acquire(service: store.service, directory: store.directory, waiting: .seconds(60))
    }.value
    first.release()
    try await second.release()
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
