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

  /// What a lock told, and the lock.
  private final class Watched: Sendable {
    let lock: StoreLock
    private let events: AsyncStream<StoreLock.Event>

    init(_ store: TestStore, at location: StoreLocation? = nil) throws {
      let (events, event) = AsyncStream<StoreLock.Event>.makeStream()
      self.events = events
      lock = try StoreLock.acquire(service: store.service, at: location ?? store.location) { event.yield($0) }
    }

    /// The next event: its name, and the kind of its error.
    func next() async -> (String, StorageError.Kind?) {
      switch await events.first(where: { _ in true }) {
      case .lost(let error): ("lost", error.kind)
      case .regained: ("regained", nil)
      case .taken(let error): ("taken", error.kind)
      case nil: ("nothing", nil)
      }
    }
  }

  @Test("a lock that was lost with its connection is taken again by itself, as often as that happens")
  func regained() async throws {
    let store = try TestStore(.postgresql)
    let watched = try Watched(store)
    #expect(watched.lock.isHeld)
    for _ in 0..<3 {
      try await ServerSessions.end(of: store)
      #expect(await watched.next() == ("lost", .unavailable))
      #expect(await watched.next() == ("regained", nil))
      #expect(watched.lock.isHeld)
      let error = #expect(throws: StorageError.self) {
        try StoreLock.acquire(service: store.service, at: store.location)
      }
      #expect(error?.kind == .locked)
    }
    watched.lock.release()
    #expect(!watched.lock.isHeld)
  }

  @Test("a server that is restarted gives the lock back to whom it had", arguments: ["fast", "immediate"])
  func restart(mode: String) async throws {
    let server = try PrivateServer()
    let store = try TestStore(.postgresql)
    let watched = try Watched(store, at: server.location)
    try server.stop(mode)
    #expect(await watched.next() == ("lost", .unavailable))
    #expect(!watched.lock.isHeld)
    try server.start()
    #expect(await watched.next() == ("regained", nil))
    #expect(watched.lock.isHeld)
    watched.lock.release()
  }

  @Test("a lock can be given back while its server is away")
  func releasedWhileAway() async throws {
    let (store, link) = (try TestStore(.postgresql), try ServerLink())
    let watched = try Watched(store, at: link.location)
    link.cut()
    try await ServerSessions.end(of: store)
    #expect(await watched.next() == ("lost", .unavailable))
    watched.lock.release()
    #expect(!watched.lock.isHeld)
  }

  @Test("who has lost it to another process hears that, also when that one has ended", arguments: [false, true])
  func taken(hasEnded: Bool) async throws {
    let (store, link) = (try TestStore(.postgresql), try ServerLink())
    let first = try Watched(store, at: link.location)
    link.cut()
    try await ServerSessions.end(of: store)
    #expect(await first.next() == ("lost", .unavailable))
    let second = try StoreLock.acquire(service: store.service, at: store.location)
    if hasEnded { second.release() }
    try link.connect()
    #expect(await first.next() == ("taken", .locked))
    #expect(!first.lock.isHeld)
    #expect(second.isHeld == !hasEnded)
    second.release()
  }

  @Test("what the holder of a lock writes is refused as soon as another process has it, and never before")
  func fence() async throws {
    let (store, link) = (try TestStore(.postgresql), try ServerLink())
    let first = try Watched(store, at: link.location)
    let database = try store.open(TemporaryStore.schema) { $0.fence = first.lock.fence }
    try await database.write { try $0.insertNote("held") }
    link.cut()
    try await ServerSessions.end(of: store)
    _ = await first.next()
    try await database.write { try $0.insertNote("not held, but nobody has it") }
    let second = try StoreLock.acquire(service: store.service, at: store.location)
    let error = await #expect(throws: StorageError.self) {
      try await database.write { try $0.insertNote("taken") }
    }
    #expect(error?.kind == .locked && error?.message.contains("another process has taken it over") == true)
    #expect(try await database.read { try $0.notes() } == ["held", "not held, but nobody has it"])
    let newer = try store.open(TemporaryStore.schema) { $0.fence = second.fence }
    try await newer.write { try $0.insertNote("by the other") }
    await newer.close()
    await database.close()
    second.release()
  }

  @Test("whoever takes a lock over waits for what the holder before is committing")
  func takeOver() async throws {
    let (store, link) = (try TestStore(.postgresql), try ServerLink())
    let first = try Watched(store, at: link.location)
    let database = try store.open(TemporaryStore.schema) { $0.fence = first.lock.fence }
    let gate = Gate()
    let write = try database.enqueueWrite { connection in
      try connection.insertNote("late")
      gate.pass()
    }
    await gate.waitUntilEntered()
    link.cut()
    // Gives the lock back; the transaction is still open.
    first.lock.release()
    async let second = Task.detached { try StoreLock.acquire(service: store.service, at: store.location) }.value
    gate.open()
    try await write.value()
    let lock = try await second
    #expect(try await database.read { try $0.notes() } == ["late"])
    lock.release()
    await database.close()
  }
}
