import CSystem
import Glibc

/// One thread with one epoll instance.
///
/// The loop is a `TaskExecutor`: async code that is started with `Task(executorPreference: loop)` runs on the loop's
/// thread from its first line to its last, so that it may touch what the loop owns without a lock. Nothing that runs on
/// a loop may block.
///
/// An iteration: wait for events; for each, tell its handler, run the jobs of async code and flush what has output;
/// fire timers.
///
/// Sendable: everything but `inbox` is touched on the loop's own thread only, or before `run` starts; `inbox` is behind a
/// mutex.
public final class EventLoop: TaskExecutor, @unchecked Sendable {
  private let poller: Int32
  private let waker: Int32
  private var handlers: [(any FileEventHandler)?] = []
  private var local: [UnownedJob] = []
  private var running: [UnownedJob] = []
  private var dirty: [any Flushable] = []
  private var flushing: [any Flushable] = []
  private var timers: TimerWheel
  private var stopped = false

  /// Its place in its group, from 0: for counters that each loop has one of.
  public let index: Int
  /// For identifiers.
  public var random = LoopRandom()

  /// Monotonic nanoseconds at which the current batch of events began.
  public private(set) var now: UInt64
  /// Scratch space for one read of whatever runs on the loop; valid until the next read.
  public let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
  /// Scratch space to gather one write in.
  public let writeBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 64)
  /// Scratch space for the pieces of one write.
  public let writePieces = UnsafeMutableBufferPointer<iovec>.allocate(capacity: 64)

  /// Memory for what comes and goes with every call.
  public var blocks = BlockPool()
  /// Memory for large messages.
  public var largeBlocks = LargeBlocks()

  /// What a layer above keeps once per loop, as it is large and used by one piece of work at a time.
  public var attachment: AnyObject?

  private struct Inbox {
    var jobs: [UnownedJob] = []
    var thunks: [@Sendable () -> Void] = []
    var isSignalled = false
  }
  private let inbox = Lock(Inbox())

  /// Job generations that run before the loop looks at its descriptors again, so that code that keeps yielding can't
  /// starve the sockets.
  private static let generationsPerIteration = 16

  /// - Throws: `SystemError` when the process is out of descriptors.
  public init(index: Int = 0) throws(SystemError) {
    self.index = index
    poller = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard poller >= 0 else { throw SystemError("epoll_create1") }
    waker = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    guard waker >= 0 else {
      let error = SystemError("eventfd")
      close(poller)
      throw error
    }
    now = EventLoop.monotonicNanoseconds()
    timers = TimerWheel(now: now)
    var event = epoll_event()
    event.events = EPOLLIN.rawValue
    event.data.fd = waker
    epoll_ctl(poller, EPOLL_CTL_ADD, waker, &event)
  }

  deinit {
    close(waker)
    close(poller)
    readBuffer.deallocate()
    writeBuffer.deallocate()
    writePieces.deallocate()
  }

  /// `CLOCK_MONOTONIC` in nanoseconds.
  public static func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }

  /// The loop whose thread this is, if any.
  public static var current: EventLoop? {
    guard let pointer = csystem_current_loop() else { return nil }
    return Unmanaged<EventLoop>.fromOpaque(pointer).takeUnretainedValue()
  }

  /// Whether the caller runs on this loop.
  public var isCurrent: Bool {
    csystem_current_loop() == UnsafeMutableRawPointer(Unmanaged.passUnretained(self).toOpaque())
  }

  // MARK: Descriptors. On the loop only.

  /// Calls `handler` whenever `descriptor` is ready (level-triggered). The loop keeps the handler until `deregister`.
  public func register(_ descriptor: Int32, _ handler: any FileEventHandler, for events: FileEvents) {
    assertOnLoop()
    while handlers.count <= Int(descriptor) { handlers.append(nil) }
    handlers[Int(descriptor)] = handler
    control(EPOLL_CTL_ADD, descriptor, events)
  }

  /// Changes what a registered descriptor is watched for.
  public func modify(_ descriptor: Int32, for events: FileEvents) {
    control(EPOLL_CTL_MOD, descriptor, events)
  }

  /// Forgets the descriptor; to be called before it is closed.
  public func deregister(_ descriptor: Int32) {
    control(EPOLL_CTL_DEL, descriptor, [])
    handlers[Int(descriptor)] = nil
  }

  private func control(_ operation: Int32, _ descriptor: Int32, _ events: FileEvents) {
    var event = epoll_event()
    event.events = events.rawValue
    event.data.fd = descriptor
    let result = epoll_ctl(poller, operation, descriptor, &event)
    assert(result == 0, "epoll_ctl \(operation) of descriptor \(descriptor): errno \(errno)")
  }

  /// Calls `flush` once before the loop waits again; the caller sees to it that it asks once only.
  public func scheduleFlush(_ flushable: any Flushable) {
    dirty.append(flushable)
  }

  // MARK: Timers. On the loop only.

  /// Fires `timer` at `deadline` (monotonic nanoseconds), rounded up to the next millisecond.
  public func schedule(_ timer: LoopTimer, at deadline: UInt64) {
    timers.insert(timer, at: deadline)
  }

  /// Takes `timer` back; nothing happens when it has fired or was never scheduled.
  public func cancel(_ timer: LoopTimer) {
    timers.remove(timer)
  }

  // MARK: Work from elsewhere

  /// Runs `work` on the loop: at once when called there, else soon. Callable from any thread.
  public func execute(_ work: @escaping @Sendable () -> Void) {
    if isCurrent { return work() }
    let wake = inbox.withLock { inbox in
      inbox.thunks.append(work)
      defer { inbox.isSignalled = true }
      return !inbox.isSignalled
    }
    if wake { wakeUp() }
  }

  /// Runs a piece of async code soon. Callable from any thread, as the runtime does.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isCurrent { return local.append(job) }
    let wake = inbox.withLock { inbox in
      inbox.jobs.append(job)
      defer { inbox.isSignalled = true }
      return !inbox.isSignalled
    }
    if wake { wakeUp() }
  }

  /// For the runtime, which keeps the loop alive by its tasks.
  public func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }

  @inline(never) private func wakeUp() {
    var one: UInt64 = 1
    // Fails only when the counter is full, and then the loop is awake.
    _ = write(waker, &one, 8)
  }

  // MARK: Running

  /// Runs until `stop`. Everything that was scheduled on the loop is dropped then.
  public func run() {
    withinLoop {
      while !stopped { iterate(events: $0, timeoutMilliseconds: timeoutMilliseconds()) }
    }
  }

  /// Runs what is there to be done now, without waiting, on the caller's thread, which is the loop's meanwhile. For callers
  /// that drive the loop themselves, as fuzzing does: nothing is left to the system's scheduler then.
  func runOnce() {
    withinLoop { iterate(events: $0, timeoutMilliseconds: 0) }
  }

  private func withinLoop(_ body: (UnsafeMutableBufferPointer<epoll_event>) -> Void) {
    csystem_set_current_loop(Unmanaged.passUnretained(self).toOpaque())
    defer { csystem_set_current_loop(nil) }
    let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 256)
    defer { events.deallocate() }
    body(events)
  }

  @inline(__always)
  private func iterate(events: UnsafeMutableBufferPointer<epoll_event>, timeoutMilliseconds: @autoclosure () -> Int32) {
    runJobs()
    flushDirty()
    let count = epoll_wait(poller, events.baseAddress, Int32(events.count), timeoutMilliseconds())
    now = EventLoop.monotonicNanoseconds()
    for index in 0..<Int(max(count, 0)) {
      let descriptor = events[index].data.fd
      if descriptor == waker {
        drainInbox()
      } else if let handler = handlers[Int(descriptor)] {
        handler.handle(FileEvents(rawValue: events[index].events))
        // To the end for each connection, not in stages over all of them: what its calls use is still in the cache
        // then, and their memory goes back to the allocator before the next connection asks for some.
        runJobs()
        flushDirty()
      }
    }
    for timer in timers.takeDue(upTo: now) { timer.fireIfDue() }
  }

  /// Ends `run` after the current iteration. Callable from any thread.
  public func stop() { execute { self.stopped = true } }

  private func timeoutMilliseconds() -> Int32 {
    if !local.isEmpty || !dirty.isEmpty { return 0 }
    guard let next = timers.nextWakeUp else { return -1 }
    let time = EventLoop.monotonicNanoseconds()
    if next <= time { return 0 }
    return Int32(clamping: (next - time + 999_999) / 1_000_000)
  }

  private func runJobs() {
    guard !local.isEmpty else { return }
    let executor = asUnownedTaskExecutor()
    for _ in 0..<EventLoop.generationsPerIteration where !local.isEmpty {
      swap(&local, &running)
      for job in running { job.runSynchronously(on: executor) }
      running.removeAll(keepingCapacity: true)
    }
  }

  private func flushDirty() {
    guard !dirty.isEmpty else { return }
    swap(&dirty, &flushing)
    for flushable in flushing { flushable.flush() }
    flushing.removeAll(keepingCapacity: true)
  }

  private func drainInbox() {
    var counter: UInt64 = 0
    _ = read(waker, &counter, 8)
    let (jobs, thunks) = inbox.withLock { inbox in
      defer { inbox = Inbox() }
      return (inbox.jobs, inbox.thunks)
    }
    local.append(contentsOf: jobs)
    for thunk in thunks { thunk() }
  }

  @inline(__always) private func assertOnLoop() {
    assert(isCurrent || csystem_current_loop() == nil, "called from another loop's thread")
  }
}
