import CMicroHTTPD
import CSystem
import EventLoop
import Glibc

/// The thread of a server: moves the bytes of all connections and runs the handlers of short requests.
///
/// Both on one thread, as to pass a message on to another takes longer than to read it; and what waits for the same event,
/// such as a commit, goes on together: one wake-up, and then all the answers.
///
/// Sendable: the daemon and what else is not behind the lock is touched on the thread only, or before it starts.
final class ServerLoop: TaskExecutor, @unchecked Sendable {
  private struct Inbox {
    var jobs: [UnownedJob] = []
    var thunks: [@Sendable () -> Void] = []
    var isSignalled = false
  }

  private let poller: Int32
  private let waker: Int32
  private let inbox = Lock(Inbox())
  private var thread: pthread_t?
  private var jobs: [UnownedJob] = []
  private var running: [UnownedJob] = []
  /// nil before the start and after the stop.
  private var daemon: OpaquePointer?
  private var hasResumed = false
  /// Handlers' tasks, which need the thread to their end.
  private var tasks = 0
  private var isStopped = false

  /// - Throws: `SystemError` when the process is out of descriptors.
  init() throws(SystemError) {
    poller = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard poller >= 0 else { throw SystemError("epoll_create1") }
    waker = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    guard waker >= 0 else {
      let error = SystemError("eventfd")
      close(poller)
      throw error
    }
  }

  deinit {
    close(waker)
    close(poller)
  }

  // MARK: Start and stop

  /// Starts the thread. It owns the daemon from now on, which was made to be driven from outside.
  ///
  /// - Parameter context: what the daemon's callbacks need, kept until the thread ends.
  /// - Throws: `SystemError` when there is no descriptor or thread to be had; the daemon is the caller's still.
  func start(_ daemon: OpaquePointer, context: AnyObject & Sendable) throws(SystemError) {
    try watch(waker)
    try watch(mhd_poller(daemon))
    self.daemon = daemon
    do throws(SystemError) {
      try spawnThread(named: "http-server") {
        withExtendedLifetime(context) { self.run() }
      }
    } catch {
      self.daemon = nil
      throw error
    }
  }

  private func watch(_ descriptor: Int32) throws(SystemError) {
    var event = epoll_event()
    event.events = EPOLLIN.rawValue
    event.data.fd = descriptor
    guard epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) == 0 else { throw SystemError("epoll_ctl") }
  }

  /// Accepts no more connections.
  func quiesce() {
    execute {
      guard let daemon = self.daemon else { return }
      let listener = MHD_quiesce_daemon(daemon)
      if listener >= 0 { close(listener) }
    }
  }

  /// Closes all connections; no request may be under way. The thread ends when the last handler's task has.
  func stop() async {
    await withCheckedContinuation { continuation in
      execute {
        if let daemon = self.daemon { MHD_stop_daemon(daemon) }
        self.daemon = nil
        self.isStopped = true
        continuation.resume()
      }
    }
  }

  // MARK: Work

  private var isCurrent: Bool { thread.map { pthread_equal(pthread_self(), $0) != 0 } ?? false }

  /// Runs `work` on the thread: at once when called there, else soon.
  func execute(_ work: @escaping @Sendable () -> Void) {
    if isCurrent { return work() }
    post { $0.thunks.append(work) }
  }

  /// Runs a piece of async code soon, as the runtime does. Callable from any thread.
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isCurrent { return jobs.append(job) }
    post { $0.jobs.append(job) }
  }

  /// For the runtime; the thread keeps the loop alive for as long as there are tasks.
  func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }

  private func post(_ add: (inout sending Inbox) -> Void) {
    let wakes = inbox.withLock { inbox in
      add(&inbox)
      defer { inbox.isSignalled = true }
      return !inbox.isSignalled
    }
    guard wakes else { return }
    var one: UInt64 = 1
    // Fails only when the counter is full, and then the thread is awake.
    _ = write(waker, &one, 8)
  }

  /// A task that runs here, to its end. On the thread only.
  func startTask(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    tasks += 1
    return Task(executorPreference: self) {
      await body()
      self.execute { self.tasks -= 1 }
    }
  }

  /// Lets a suspended connection go on. Callable from any thread.
  func resume(_ connection: Reply.SuspendedConnection) {
    execute {
      MHD_resume_connection(connection.pointer)
      self.hasResumed = true
    }
  }

  // MARK: The thread

  private func run() {
    thread = pthread_self()
    let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 2)
    defer { events.deallocate() }
    while !isStopped || tasks > 0 || !jobs.isEmpty {
      let timeout = timeoutMilliseconds()
      let count = epoll_wait(poller, events.baseAddress, Int32(events.count), timeout)
      var isDue = count == 0
      for event in events.prefix(Int(max(count, 0))) {
        if event.data.fd == waker { drainInbox() } else { isDue = true }
      }
      runJobs()
      guard let daemon, isDue || hasResumed else { continue }
      hasResumed = false
      MHD_run(daemon)
    }
  }

  private func timeoutMilliseconds() -> Int32 {
    if !jobs.isEmpty || hasResumed { return 0 }
    var milliseconds: UInt64 = 0
    guard let daemon, MHD_get_timeout(daemon, &milliseconds) == .YES else { return -1 }
    return Int32(clamping: milliseconds)
  }

  private func drainInbox() {
    var counter: UInt64 = 0
    _ = read(waker, &counter, 8)
    let (received, thunks) = inbox.withLock { inbox in
      defer { inbox = Inbox() }
      return (inbox.jobs, inbox.thunks)
    }
    jobs.append(contentsOf: received)
    for thunk in thunks { thunk() }
  }

  /// Those that are there; what they leave behind has its turn when the connections have had theirs.
  private func runJobs() {
    guard !jobs.isEmpty else { return }
    swap(&jobs, &running)
    let executor = asUnownedTaskExecutor()
    for job in running { job.runSynchronously(on: executor) }
    running.removeAll(keepingCapacity: true)
  }
}
