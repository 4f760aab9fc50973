import EventLoop
import ServiceKit
import Synchronization

/// Delivers what waits in a partition of the journal for one destination, as ``DispatchMachine`` says.
actor Dispatcher {
  typealias Deliver = @Sendable (PendingMessage) async -> DeliveryOutcome

  /// As in the journal.
  nonisolated let destination: String
  nonisolated let partition: Int
  /// Between two tries to reach the store.
  static let storeRetry = Duration.seconds(1)

  let store: JournalStore
  let policy: DeliveryPolicy
  let deliver: Deliver
  let now: @Sendable () -> WallTime
  /// Woken, and has not noticed yet.
  private nonisolated let isWaking = Atomic(false)
  var machine: DispatchMachine
  var isRunning = false
  var isStopped = false
  var tasks = 0
  var idle: CheckedContinuation<Void, Never>?
  var timer: (due: WallTime, task: Task<Void, Never>)?
  /// Attempts that are under way, and those of them that have not begun to send.
  var attempts: [Int: Task<Void, Never>] = [:]
  var waitingForTurn: Set<Int> = []
  var lastAttempt = 0
  /// By message, and for each who waits for it a number.
  var waiters: [Int64: [Int: CheckedContinuation<Receipt?, Never>]] = [:]
  var lastWaiter = 0
  /// Messages whose last try has ended and is not durable yet, and who waits for that.
  var unsettled: [Int64: [CheckedContinuation<Void, Never>]] = [:]
  var waitingForRoom: [CheckedContinuation<Void, Never>] = []
  var lastStoreError = ""
  let turns: (any DeliveryTurns)?
  let notice: DeliveryNotice?
  let stopGrace: Duration
  /// Where its work runs. On one loop what is done for a message goes from step to step without waking another thread.
  let executor: (any TaskExecutor)?

  /// - Parameters:
  ///   - partition: of the journal; on SQLite there is one.
  ///   - turns: whom to wait for before each try.
  ///   - notice: tells of messages that were given up.
  ///   - stopGrace: for tries that are under way at the end.
  ///   - executor: of its work; nil for the threads that Swift keeps for that.
  ///   - deliver: tries a message once; limits its own time.
  init(
    destination: String, partition: Int = 0, store: JournalStore, policy: DeliveryPolicy,
    limits: DispatchMachine.Limits = .init(),
    breaker: CircuitBreaker = CircuitBreaker(), now: @escaping @Sendable () -> WallTime = { .now },
    turns: (any DeliveryTurns)? = nil, notice: DeliveryNotice? = nil, stopGrace: Duration = Gateway.stopGrace,
    executor: (any TaskExecutor)? = nil, deliver: @escaping Deliver
  ) {
    self.destination = destination
    self.partition = partition
    self.store = store
    self.policy = policy
    self.deliver = deliver
    self.now = now
    self.turns = turns
    self.notice = notice
    self.stopGrace = stopGrace
    self.executor = executor
    machine = DispatchMachine(policy: policy, limits: limits, breaker: breaker)
  }

  /// Works until the task is cancelled, and then until everything that is under way has ended; what is not through in
  /// time is cancelled.
  func run() async {
    isRunning = true
    pump()
    await untilCancelled()
    (isRunning, isStopped) = (false, true)
    timer?.task.cancel()
    for waiter in waiters.values.flatMap(\.values) { waiter.resume(returning: nil) }
    waiters = [:]
    letWaitersTry()
    for attempt in waitingForTurn { attempts[attempt]?.cancel() }
    let timeout = Task {
      // A cancelled sleep is a stop in time.
      guard (try? await Task.sleep(for: self.stopGrace)) != nil else { return }
      for attempt in self.attempts.values { attempt.cancel() }
    }
    await withCheckedContinuation { continuation in
      if tasks == 0 { continuation.resume() } else { idle = continuation }
    }
    timeout.cancel()
  }

  /// Whoever stops it can't wait: what is under way is cancelled.
  func abandon() { for attempt in attempts.values { attempt.cancel() } }

  /// There is something new in the journal.
  func wake() {
    machine.woken()
    pump()
  }

  /// As ``wake()`` for those who don't wait for the dispatcher, which has the more to do the more comes in. Many at one time are
  /// heard once.
  nonisolated func wakeSoon() {
    guard !isWaking.exchange(true, ordering: .acquiringAndReleasing) else { return }
    Task(executorPreference: executor) { await self.wakeAtLast() }
  }

  func wakeAtLast() {
    // An exchange, not a store: it sees what they have done who found the note there.
    _ = isWaking.exchange(false, ordering: .acquiringAndReleasing)
    wake()
  }

  // MARK: Doing what the machine says

  func pump() {
    guard isRunning else { return }
    for action in machine.nextActions(now: now()) { perform(action) }
    if machine.canRequeue { letWaitersTry() }
    setTimer()
  }

  func perform(_ action: DispatchMachine.Action) {
    switch action {
    case .deliver(let message, let lane):
      lastAttempt += 1
      let number = lastAttempt
      attempts[number] = start { await self.attempt(message, lane, number) }
    case .scan(let after): start { await self.scan(after) }
    case .refill(let key, let after, let through): start { await self.refill(key, after, through) }
    case .load(let id, let lane): start { await self.load(id, lane) }
    case .resume(let place): start { await self.resume(place) }
    case .sweep(let after, let before): start { await self.sweep(after, before) }
    }
  }

  @discardableResult
  func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    tasks += 1
    return Task(executorPreference: executor) {
      await body()
      await self.ended()
    }
  }

  func ended() {
    tasks -= 1
    if tasks == 0 {
      idle?.resume()
      idle = nil
    }
  }

  func setTimer() {
    let due = machine.nextDue(now: now())
    if due == timer?.due { return }
    timer?.task.cancel()
    timer = due.map { due in
      let delay = max(.milliseconds(1), due - now())
      return (
        due,
        Task(executorPreference: executor) {
          // A cancelled sleep is a timer that was set anew.
          guard (try? await Task.sleep(for: delay)) != nil else { return }
          await self.timerFired()
        }
      )
    }
  }

  func timerFired() {
    timer = nil
    pump()
  }
}
