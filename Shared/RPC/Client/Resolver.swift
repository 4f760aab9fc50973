import CSystem
import EventLoop
import Glibc

/// Keeps up to date which addresses a target stands for. Lives on one loop.
///
/// Sendable by the loop, subclasses included: everything is touched there only.
class Resolver: @unchecked Sendable {
  final let loop: EventLoop
  private final let update: @Sendable (Result<[Address], RPCError>) -> Void
  final private(set) var isStopped = false

  init(loop: EventLoop, update: @escaping @Sendable (Result<[Address], RPCError>) -> Void) {
    self.loop = loop
    self.update = update
  }

  static func make(
    _ target: Target, loop: EventLoop, update: @escaping @Sendable (Result<[Address], RPCError>) -> Void
  ) -> Resolver {
    switch target {
    case .unix(let address): StaticResolver([address], loop: loop, update: update)
    case .list(let addresses): StaticResolver(addresses, loop: loop, update: update)
    case .unixDirectory(let path): DirectoryResolver(path, loop: loop, update: update)
    case .dns(let host, let port): NameResolver(host: host, port: port, loop: loop, update: update)
    }
  }

  /// Begins to look. On the loop.
  func start() {}
  /// A connection was lost or refused: what was known may be out of date. On the loop.
  func refresh() {}
  /// On the loop.
  func stop() { isStopped = true }

  final func publish(_ result: Result<[Address], RPCError>) {
    guard !isStopped else { return }
    update(result)
  }
}

/// Addresses that don't change.
private final class StaticResolver: Resolver, @unchecked Sendable {
  private let addresses: [Address]

  init(
    _ addresses: [Address], loop: EventLoop, update: @escaping @Sendable (Result<[Address], RPCError>) -> Void
  ) {
    self.addresses = addresses
    super.init(loop: loop, update: update)
  }

  override func start() { publish(.success(addresses)) }
}

/// Every socket in a directory. Watched by inotify; while the directory does not exist, it is looked for again and
/// again.
private final class DirectoryResolver: Resolver, FileEventHandler, @unchecked Sendable {
  private let path: String
  private var watcher: Int32 = -1
  /// With the times at which the files changed, because a replica that starts again makes a new socket in the old place.
  private var known: [FoundSocket]?
  private lazy var retry = Retry(self)

  private static let retryNanoseconds: UInt64 = 500_000_000

  init(_ path: String, loop: EventLoop, update: @escaping @Sendable (Result<[Address], RPCError>) -> Void) {
    self.path = path
    super.init(loop: loop, update: update)
  }

  override func start() { watch() }

  override func refresh() { if watcher >= 0 { scan() } }

  override func stop() {
    super.stop()
    loop.cancel(retry)
    unwatch()
  }

  private func watch() {
    guard !isStopped else { return }
    let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    let events = UInt32(IN_CREATE | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)
    if descriptor >= 0, inotify_add_watch(descriptor, path, events) >= 0 {
      watcher = descriptor
      loop.register(descriptor, self, for: .readable)
    } else {
      if descriptor >= 0 { close(descriptor) }
      loop.schedule(retry, at: EventLoop.monotonicNanoseconds() &+ DirectoryResolver.retryNanoseconds)
    }
    scan()
  }

  private func unwatch() {
    guard watcher >= 0 else { return }
    loop.deregister(watcher)
    close(watcher)
    watcher = -1
  }

  func handle(_ events: FileEvents) {
    var directoryIsGone = false
    while true {
      let count = read(watcher, loop.readBuffer.baseAddress, loop.readBuffer.count)
      guard count > 0 else { break }
      var offset = 0
      while offset + MemoryLayout<inotify_event>.size <= count {
        let event = loop.readBuffer.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
        if event.mask & UInt32(IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF) != 0 { directoryIsGone = true }
        offset += MemoryLayout<inotify_event>.size + Int(event.len)
      }
    }
    if directoryIsGone {
      unwatch()
      watch()
    } else {
      scan()
    }
  }

  private func scan() {
    let found = FoundSocket.all(in: path)
    guard found != known else { return }
    known = found
    publish(.success(found.map { .unix(path: $0.path) }))
  }

  private final class Retry: LoopTimer {
    private unowned let resolver: DirectoryResolver
    init(_ resolver: DirectoryResolver) { self.resolver = resolver }
    override func fire() { resolver.watch() }
  }
}

/// Every address of a name, looked up on a thread, because `getaddrinfo` blocks.
private final class NameResolver: Resolver, @unchecked Sendable {
  private let host: String
  private let port: UInt16
  private var isLooking = false
  private var lastLook: UInt64 = 0
  private lazy var timer = Again(self)

  private static let intervalNanoseconds: UInt64 = 30_000_000_000
  private static let shortestIntervalNanoseconds: UInt64 = 1_000_000_000

  init(
    host: String, port: UInt16, loop: EventLoop, update: @escaping @Sendable (Result<[Address], RPCError>) -> Void
  ) {
    self.host = host
    self.port = port
    super.init(loop: loop, update: update)
  }

  override func start() { look() }

  override func refresh() {
    let earliest = lastLook &+ NameResolver.shortestIntervalNanoseconds
    if EventLoop.monotonicNanoseconds() >= earliest { look() } else { loop.schedule(timer, at: earliest) }
  }

  override func stop() {
    super.stop()
    loop.cancel(timer)
  }

  private func look() {
    guard !isLooking, !isStopped else { return }
    isLooking = true
    lastLook = EventLoop.monotonicNanoseconds()
    let (host, port, loop) = (host, port, loop)
    do {
      try spawnThread(named: "resolver") {
        let result = NameResolver.addresses(host: host, port: port)
        loop.execute { self.found(result) }
      }
    } catch {
      found(.failure(RPCError(.unavailable, "\(host) can't be looked up: \(error)")))
    }
  }

  private static func addresses(host: String, port: UInt16) -> Result<[Address], RPCError> {
    do throws(AddressError) {
      let addresses = try Address.resolve(host: host, port: port)
      return .success(addresses.map { Address.tcp(host: $0.numericHost, port: port) })
    } catch {
      return .failure(RPCError(.unavailable, "\(error)"))
    }
  }

  private func found(_ result: Result<[Address], RPCError>) {
    isLooking = false
    guard !isStopped else { return }
    loop.schedule(timer, at: lastLook &+ NameResolver.intervalNanoseconds)
    publish(result)
  }

  private final class Again: LoopTimer {
    private unowned let resolver: NameResolver
    init(_ resolver: NameResolver) { self.resolver = resolver }
    override func fire() { resolver.look() }
  }
}
