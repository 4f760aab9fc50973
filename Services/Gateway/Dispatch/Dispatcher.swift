import EventLoop
import ServiceKit
import Synchronization

/// Delivers what waits in the journal for one destination, as ``DispatchMachine`` says.
actor Dispatcher {
  typealias Deliver = @Sendable (PendingMessage) async -> DeliveryOutcome

  /// As in the journal.
  nonisolated let destination: String
  /// Between two tries to reach the store.
  private static let storeRetry = Duration.seconds(1)

  private let store: JournalStore
  private let policy: DeliveryPolicy
  private let deliver: Deliver
  private let now: @Sendable () -> WallTime
  /// Woken, and has not noticed yet.
  private nonisolated let isWaking = Atomic(false)
  private var machine: DispatchMachine
  private var isRunning = false
  private var isStopped = false
  private var tasks = 0
  private var idle: CheckedContinuation<Void, Never>?
  private var timer: (due: WallTime, task: Task<Void, Never>)?
  /// Attempts that are under way, and those of them that have not begun to send.
  private var attempts: [Int: Task<Void, Never>] = [:]
  private var waitingForTurn: Set<Int> = []
  private var lastAttempt = 0
  /// By message, and for each who waits for it a number.
  private var waiters: [Int64: [Int: CheckedContinuation<Receipt?, Never>]] = [:]
  private var lastWaiter = 0
  /// Messages whose last try has ended and is not durable yet, and who waits for that.
  private var unsettled: [Int64: [CheckedContinuation<Void, Never>]] = [:]
  private var waitingForRoom: [CheckedContinuation<Void, Never>] = []
  private var lastStoreError = ""
  private let turns: (any DeliveryTurns)?
  private let notice: DeliveryNotice?
  private let stopGrace: Duration

  /// - Parameters:
  ///   - turns: whom to wait for before each try.
  ///   - notice: tells of messages that were given up.
  ///   - stopGrace: for tries that are under way at the end.
  ///   - deliver: tries a message once; limits its own time.
  init(
    destination: String, store: JournalStore, policy: DeliveryPolicy, limits: DispatchMachine.Limits = .init(),
    breaker: CircuitBreaker = CircuitBreaker(), now: @escaping @Sendable () -> WallTime = { .now },
    turns: (any DeliveryTurns)? = nil, notice: DeliveryNotice? = nil, stopGrace: Duration = Gateway.stopGrace,
    deliver: @escaping Deliver
  ) {
    self.destination = destination
    self.store = store
    self.policy = policy
    self.deliver = deliver
    self.now = now
    self.turns = turns
    self.notice = notice
    self.stopGrace = stopGrace
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

  /// There is something new in the journal.
  func wake() {
    machine.woken()
    pump()
  }

  /// As ``wake()`` for those who don't wait for the dispatcher, which has the more to do the more comes in. Many at one time are
  /// heard once.
  nonisolated func wakeSoon() {
    guard !isWaking.exchange(true, ordering: .acquiringAndReleasing) else { return }
    Task { await self.wakeAtLast() }
  }

  private func wakeAtLast() {
    // An exchange, not a store: it sees what they have done who found the note there.
    _ = isWaking.exchange(false, ordering: .acquiringAndReleasing)
    wake()
  }

  /// Waits for the next try of a message to end.
  ///
  /// - Returns: what became of it then, which may be `PENDING` still; nil when the gateway stops.
  func outcome(of id: Int64) async -> Receipt? {
    lastWaiter += 1
    let number = lastWaiter
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        guard !isStopped, !Task.isCancelled else { return continuation.resume(returning: nil) }
        waiters[id, default: [:]][number] = continuation
        machine.woken()
        pump()
        // It may have ended before anybody waited for it.
        start { await self.answerIfEnded(id) }
      }
    } onCancel: {
      Task { await self.forget(number, of: id) }
    }
  }

  private func answerIfEnded(_ id: Int64) async {
    do {
      guard let receipt = try await store.receipt(id), receipt.status != .pending else { return }
      for waiter in (waiters.removeValue(forKey: id) ?? [:]).values { waiter.resume(returning: receipt) }
    } catch {
      report(error)
    }
  }

  /// The same message may have been sent several times, and each sender waits on its own.
  private func forget(_ number: Int, of id: Int64) {
    guard let waiter = waiters[id]?.removeValue(forKey: number) else { return }
    if waiters[id]?.isEmpty == true { waiters[id] = nil }
    waiter.resume(returning: nil)
  }

  // MARK: Operators

  /// A message that had ended waits in the journal again.
  ///
  /// - Returns: false when too many such messages wait already: try again.
  func requeue(_ id: Int64, key: String) -> Bool {
    defer { pump() }
    return machine.requeue(id, key: key)
  }

  /// As ``requeue(_:key:)``, as soon as there is room. A gateway that stops finds the message when it starts again.
  func requeueWhenPossible(_ id: Int64, key: String) async {
    while isRunning, !requeue(id, key: key) {
      if !machine.canRequeue { await withCheckedContinuation { waitingForRoom.append($0) } }
    }
  }

  private func letWaitersTry() {
    let waiting = waitingForRoom
    waitingForRoom = []
    for waiter in waiting { waiter.resume() }
  }

  /// Runs `body`, which takes a message out of the queue, while that can't be delivered.
  ///
  /// - Returns: false, without running it, when it is being delivered right now.
  func withholding(_ id: Int64, key: String, _ body: @Sendable () async throws -> Void) async throws -> Bool {
    guard machine.withhold(id, key: key) else { return false }
    do {
      try await body()
      machine.released(id, key: key)
      pump()
      return true
    } catch {
      machine.released(id, key: key)
      // When that has no room either, a restart finds the message: nothing is lost.
      if !machine.requeue(id, key: key) { Log.warning("waits for a restart", ["journal_id": LogValue(Int(id))]) }
      pump()
      throw error
    }
  }

  /// For `omsctl queue`.
  var breaker: CircuitBreaker { machine.breaker }

  // MARK: Doing what the machine says

  private func pump() {
    guard isRunning else { return }
    for action in machine.nextActions(now: now()) { perform(action) }
    if machine.canRequeue { letWaitersTry() }
    setTimer()
  }

  private func perform(_ action: DispatchMachine.Action) {
    switch action {
    case .deliver(let message, let lane):
      lastAttempt += 1
      let number = lastAttempt
      attempts[number] = start { await self.attempt(message, lane, number) }
    case .scan(let after): start { await self.scan(after) }
    case .refill(let key, let after, let through): start { await self.refill(key, after, through) }
    case .load(let id, let lane): start { await self.load(id, lane) }
    }
  }

  @discardableResult
  private func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    tasks += 1
    return Task {
      await body()
      self.ended()
    }
  }

  private func ended() {
    tasks -= 1
    if tasks == 0 {
      idle?.resume()
      idle = nil
    }
  }

  private func attempt(_ message: PendingMessage, _ lane: DispatchMachine.LaneID, _ number: Int) async {
    defer { attempts[number] = nil }
    var message = message
    let (outcome, attempt) = await tried(message, number)
    if let attempt, outcome.isTry || policy.lifetime != nil { message.attempts.add(attempt) }
    unsettled[message.id] = []
    let decision = machine.delivered(message, lane, outcome, at: now(), random: .random(in: 0...1))
    pump()
    log(message, decision)
    await settle(message, lane, decision)
    for waiter in unsettled.removeValue(forKey: message.id) ?? [] { waiter.resume() }
    answer(message, decision, outcome)
    machine.settled(message.id, lane)
    guard let notice, case .finish(policy.givenUp, _, _) = decision else { return pump() }
    // It may have to go the same way.
    machine.woken()
    pump()
    await notice.committed()
  }

  /// - Returns: the outcome, and what is to be noted of it; nil when nothing was tried.
  private func tried(_ message: PendingMessage, _ number: Int) async -> (DeliveryOutcome, AttemptLog.Attempt?) {
    guard await hasTurn(number) else { return (.held("the gateway is stopping"), nil) }
    let (startedAt, start) = (now(), EventLoop.monotonicNanoseconds())
    let outcome = await deliver(message)
    await turns?.end()
    if case .held = outcome { return (outcome, nil) }
    let duration = Duration.nanoseconds(Int64(EventLoop.monotonicNanoseconds() - start))
    return (outcome, .init(startedAt: startedAt, duration: duration, error: outcome.reason))
  }

  private func hasTurn(_ number: Int) async -> Bool {
    guard let turns else { return true }
    guard isRunning else { return false }
    waitingForTurn.insert(number)
    defer { waitingForTurn.remove(number) }
    return await turns.begin()
  }

  /// Makes the decision durable, however long that takes: the message was taken out of the queue in memory and must not come
  /// back before a restart.
  private func settle(
    _ message: PendingMessage, _ lane: DispatchMachine.LaneID, _ decision: DispatchMachine.Decision
  ) async {
    while true {
      do {
        switch decision {
        case .finish(let status, let reason, let result):
          try await store.finish(
            message.id, status, attempts: message.attempts, reason: reason, result: result, at: now(),
            notice: status == policy.givenUp ? notice?.make(message, reason) : nil)
        case .postpone(let until, let reason):
          try await store.postpone(message.id, attempts: message.attempts, reason: reason, until: until)
        case .nothing: break
        }
        return
      } catch {
        guard await waitForStore(error) else { return }
      }
    }
  }

  private func answer(_ message: PendingMessage, _ decision: DispatchMachine.Decision, _ outcome: DeliveryOutcome) {
    guard let waiting = waiters.removeValue(forKey: message.id) else { return }
    var receipt = Receipt(id: message.id, isDuplicate: false, status: .pending, reason: outcome.reason, result: [])
    if case .finish(let status, let reason, let result) = decision {
      (receipt.status, receipt.reason, receipt.result) = (status, reason, result)
    }
    for waiter in waiting.values { waiter.resume(returning: receipt) }
  }

  private func scan(_ after: Int64) async {
    do {
      machine.scanned(
        try await store.pending(destination: destination, after: after, limits: machine.limits.page),
        now: now())
      pump()
    } catch {
      _ = await waitForStore(error)
      machine.scanFailed()
      pump()
    }
  }

  private func refill(_ key: String, _ after: Int64, _ through: Int64) async {
    var limits = machine.limits.page
    limits.rows = machine.limits.laneRows
    do {
      let page = try await store.pending(
        destination: destination, key: key, after: after, through: through, limits: limits)
      machine.refilled(key, through: through, page)
      pump()
    } catch {
      _ = await waitForStore(error)
      machine.refillFailed(key)
      pump()
    }
  }

  private func load(_ id: Int64, _ lane: DispatchMachine.LaneID) async {
    // Its end may be on its way into the journal, which would give it out once more.
    if unsettled[id] != nil { await withCheckedContinuation { unsettled[id]?.append($0) } }
    do {
      machine.loaded(id, lane, try await store.pending(id))
      pump()
    } catch {
      report(error)
      machine.loadFailed(id, lane, now: now(), retryAfter: Self.storeRetry)
      pump()
    }
  }

  /// - Returns: false when the gateway stops.
  private func waitForStore(_ error: any Error) async -> Bool {
    report(error)
    guard isRunning else { return false }
    do {
      try await Task.sleep(for: Self.storeRetry)
      return true
    } catch {
      return false
    }
  }

  /// Once per kind of trouble, not once per message.
  private func report(_ error: any Error) {
    let text = "\(error)"
    guard text != lastStoreError else { return }
    lastStoreError = text
    Log.error("the journal fails", ["destination": "\(destination)", "reason": LogValue(error)])
  }

  private func log(_ message: PendingMessage, _ decision: DispatchMachine.Decision) {
    let (text, reason): (String, String)
    switch decision {
    case .finish(.success, _, _), .nothing: return
    case .finish(_, let why, _): (text, reason) = ("message given up", why)
    case .postpone(_, let why): (text, reason) = ("message failed", why)
    }
    Log.warning(
      text,
      [
        "journal_id": LogValue(Int(message.id)), "delivery_id": .deliveryID(message.deliveryID),
        "method": "\(message.method)", "destination": "\(destination)", "attempts": LogValue(message.attempts.count),
        "reason": "\(reason)",
      ])
  }

  private func setTimer() {
    let due = machine.nextDue(now: now())
    if due == timer?.due { return }
    timer?.task.cancel()
    timer = due.map { due in
      let delay = max(.milliseconds(1), due - now())
      return (
        due,
        Task {
          // A cancelled sleep is a timer that was set anew.
          guard (try? await Task.sleep(for: delay)) != nil else { return }
          self.timerFired()
        }
      )
    }
  }

  private func timerFired() {
    timer = nil
    pump()
  }
}

extension DeliveryOutcome {
  /// Whether it counts as a try of the message itself.
  var isTry: Bool {
    switch self {
    case .unavailable, .held: false
    case .delivered, .refused, .failed: true
    }
  }

  /// Empty for a success.
  var reason: String {
    switch self {
    case .delivered: ""
    case .refused(let reason, _), .failed(let reason), .unavailable(let reason, _), .held(let reason): reason
    }
  }
}
