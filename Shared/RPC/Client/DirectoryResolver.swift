import CSystem
import EventLoop
import Glibc

/// Every socket in a directory. Watched by inotify; while the directory does not exist, it is looked for again and
/// again.
final class DirectoryResolver: Resolver, FileEventHandler, @unchecked Sendable {
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
