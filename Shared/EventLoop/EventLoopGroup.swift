import CSystem
import Glibc
import Synchronization

/// Event loops on threads of their own; a connection stays on its loop for life.
public final class EventLoopGroup: Sendable {
  /// In the order of their `index`.
  public let loops: [EventLoop]
  private let turn = Atomic<Int>(0)

  /// Starts the threads.
  /// - Parameter count: how many, 1 to 64.
  public init(loops count: Int) throws(SystemError) {
    precondition((1...64).contains(count), "\(count) loops; 1 to 64 make sense")
    var loops: [EventLoop] = []
    for index in 0..<count { loops.append(try EventLoop(index: index)) }
    self.loops = loops
    for (index, loop) in loops.enumerated() {
      try spawnThread(named: "loop-\(index)") { loop.run() }
    }
  }

  /// A group of one loop that the caller runs itself.
  init(running loop: EventLoop) { loops = [loop] }

  /// The loop of the caller's thread if it is one of these, else the next one in turn.
  public func next() -> EventLoop {
    if let current = EventLoop.current, loops.contains(where: { $0 === current }) { return current }
    return loops[turn.wrappingAdd(1, ordering: .relaxed).oldValue % loops.count]
  }

  /// Ends all loops after their current iteration.
  public func stop() {
    for loop in loops { loop.stop() }
  }
}

/// Starts a detached thread, for a loop or for work that blocks.
/// - Parameter name: shown by `top -H`; at most 15 bytes.
public func spawnThread(named name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
  final class Body {
    let name: String
    let run: @Sendable () -> Void
    init(name: String, run: @escaping @Sendable () -> Void) { (self.name, self.run) = (name, run) }
  }
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  defer { pthread_attr_destroy(&attributes) }
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  let box = Unmanaged.passRetained(Body(name: String(name.prefix(15)), run: body))
  var thread = pthread_t()
  let result = pthread_create(
    &thread, &attributes,
    { pointer in
      guard let pointer else { return nil }
      let body = Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue()
      // By itself: from outside it might have ended already, and a detached thread that has ended has no handle any more.
      csystem_name_thread(pthread_self(), body.name)
      body.run()
      return nil
    }, box.toOpaque())
  guard result == 0 else {
    box.release()
    throw SystemError("pthread_create", errno: result)
  }
}
