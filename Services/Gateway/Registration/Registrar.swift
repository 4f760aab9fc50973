import EventLoop
import RPC
import ServiceKit

/// Does what ``RegistrationMachine`` says: registers at the start and until it succeeds, looks whether the registration is
/// still there, and does what somebody asks for. One thing at a time.
///
/// Of several gateways on one store one does that (``lead(_:)``); those that don't show what that one knows
/// (``follow(_:)``), and hand on to it what they are asked.
actor Registrar {
  private struct Request {
    let wish: RegistrationWish
    let answer: CheckedContinuation<Void, any Error>
  }

  /// Requests that may wait for their turn.
  static let maxRequests = 100
  /// Between two looks whether the lease is this gateway's again.
  private static let leaseInterval = Duration.milliseconds(500)

  private(set) var machine: RegistrationMachine
  /// What is subscribed to, and which services are away.
  private(set) var topics: [KeptTopic] = []
  /// nil without an OMS.
  private let port: (any RegistrationPort)?
  private let memory: any RegistrationMemory
  private let signing: SigningSecrets?
  private let now: @Sendable () -> WallTime
  private let timing: RegistrationTiming
  /// nil for a gateway that works alone.
  private let sharing: (any RegistrationSharing)?
  /// Whether no other gateway can see to the registration now: the lease of one that can't reach the store may have passed on
  /// before it hears of that.
  nonisolated let mayAct: @Sendable () -> Bool
  private var isLeading: Bool
  private var published: RegistrationSnapshot?
  private var secretMark: [UInt8] = []
  /// When the gateway that sees to the registration was last told of a suspicion.
  private var suspicionSentAt: WallTime?
  private var requests: [Request] = []
  private var sleeper: CheckedContinuation<Void, Never>?
  private var isStopped = false

  /// - Parameters:
  ///   - kept: what ``RegistrationMemory`` has kept.
  ///   - signing: is told which secret the OMS has.
  ///   - sharing: with other gateways; nil for one that works alone.
  ///   - mayAct: whether no other gateway sees to it.
  init(
    port: (any RegistrationPort)?, memory: any RegistrationMemory, kept: KeptRegistration = .init(),
    signing: SigningSecrets? = nil, timing: RegistrationTiming = .init(),
    sharing: (any RegistrationSharing)? = nil, mayAct: @escaping @Sendable () -> Bool = { true },
    now: @escaping @Sendable () -> WallTime = { .now }
  ) {
    self.timing = timing
    self.sharing = sharing
    self.mayAct = mayAct
    isLeading = sharing == nil
    self.port = port
    self.memory = memory
    self.signing = signing
    self.now = now
    machine = RegistrationMachine(isConfigured: port != nil, kept: kept, now: now(), timing: timing)
  }

  /// Works until the task is cancelled. Nothing is registered before ``subscribe(to:)`` was called.
  func run() async {
    while !Task.isCancelled {
      guard mayAct() else {
        refuse(Self.outOfTime)
        await pause(for: Self.leaseInterval)
        continue
      }
      await publish()
      if let request = requests.first, machine.content != nil || [.unregister, .disable].contains(request.wish) {
        await serveRequests(request.wish)
        continue
      }
      switch machine.nextStep(now: now()) {
      case .wait(let until): await pause(for: until - now())
      case .rest: await pause(for: nil)
      case .check: await check()
      case let step: _ = await take(step)
      }
    }
    isStopped = true
    refuse(Self.stopping)
  }

  private func refuse(_ reason: RPCError) {
    for request in requests { request.answer.resume(throwing: reason) }
    requests = []
  }

  // MARK: Several gateways

  /// As ``run()``, by the one gateway of several that sees to the registration; may be called again.
  ///
  /// - Parameter kept: as it is in the store now.
  func lead(_ kept: KeptRegistration) async {
    machine = RegistrationMachine(isConfigured: port != nil, kept: kept, now: now(), timing: timing)
    (isLeading, isStopped, published, secretMark) = (true, false, nil, [])
    await run()
    isLeading = false
  }

  /// Another gateway sees to the registration, and this is how it is. A gateway that sees to it itself knows better.
  func follow(_ shared: SharedRegistration) {
    guard !isLeading else { return }
    topics = shared.topics
    let content = RegistrationContent(
      topics: shared.topics.map(\.method), secretGeneration: signing?.current.generation ?? 0)
    machine.follow(shared.snapshot, goal: shared.kept.goal, content: content)
    if let snapshot = shared.snapshot, snapshot.state == .registered { signing?.registered(mark: snapshot.secretMark) }
  }

  private func publish() async {
    guard let sharing else { return }
    let snapshot = machine.snapshot(secretMark: secretMark)
    guard snapshot != published else { return }
    do {
      try await sharing.publish(snapshot)
      published = snapshot
    } catch {
      Log.warning("other gateways do not see the registration", ["reason": LogValue(error)])
    }
  }

  private func askLeader(_ wish: RegistrationWish, _ sharing: any RegistrationSharing) async throws {
    do {
      try await sharing.ask(wish)
      follow(try await sharing.load())
    } catch {
      throw RPCError(storing: error, what: "what was asked for")
    }
  }

  // MARK: What others tell

  /// These bus methods are consumed now, or by services that are away: the OMS is told if that is news.
  func subscribe(to topics: [KeptTopic]) {
    self.topics = topics
    subscribe(to: topics.map(\.method))
  }

  /// These bus methods are consumed now: the OMS is told if that is news.
  func subscribe(to topics: [String]) {
    let content = RegistrationContent(topics: topics, secretGeneration: signing?.current.generation ?? 0)
    guard content != machine.content else { return }
    machine.use(content)
    wake()
  }

  /// The secrets were read again: the OMS is told if the one that signs has changed. What failed for want of a good one is
  /// tried again now.
  func secretsReloaded() {
    if let topics = machine.content?.topics { subscribe(to: topics) }
    machine.hurry(now: now())
    wake()
  }

  /// The OMS has answered something as if the connector were unknown to it (``ServiceBusError/mayMeanUnregistered``): has the
  /// registration looked at soon. May be called as often as it seems so.
  func suspectLost() {
    if !isLeading, let sharing { return tellSuspicion(sharing) }
    machine.suspectLost(now: now())
    wake()
  }

  private func tellSuspicion(_ sharing: any RegistrationSharing) {
    let now = now()
    if let last = suspicionSentAt, last <= now, now - last < timing.suspicionPause { return }
    suspicionSentAt = now
    Task {
      do {
        try await sharing.ask(.look)
      } catch {
        Log.warning("nobody was asked to look for the registration", ["reason": LogValue(error)])
      }
    }
  }

  // MARK: What somebody asks for

  /// Registers now; returns when the OMS has agreed.
  ///
  /// - Throws: FAILED_PRECONDITION without an OMS; UNAVAILABLE with the reason when it did not agree, and then it is tried
  ///   again.
  func register() async throws { try await ask(.register) }

  /// Takes the registration back; returns when the OMS has agreed.
  ///
  /// - Throws: as ``register()``.
  func unregister() async throws { try await ask(.unregister) }

  /// Lets the OMS send nothing more; returns when it has agreed.
  ///
  /// - Throws: as ``register()``; FAILED_PRECONDITION when the connector is unregistered.
  func disable() async throws { try await ask(.disable) }

  /// Ends what ``disable()`` began.
  ///
  /// - Throws: as ``disable()``.
  func enable() async throws { try await ask(.enable) }

  private func ask(_ wish: RegistrationWish) async throws {
    guard port != nil else {
      throw RPCError(.failedPrecondition, "there is no OMS to register with: set OMS_URL and start the gateway again")
    }
    if !isLeading, let sharing { return try await askLeader(wish, sharing) }
    guard !isStopped else { throw Self.stopping }
    guard requests.count < Self.maxRequests else {
      throw RPCError(
        .resourceExhausted, "\(Self.maxRequests) requests wait already: try again later",
        details: [.retryInfo(.seconds(1))])
    }
    try await withCheckedThrowingContinuation { continuation in
      requests.append(Request(wish: wish, answer: continuation))
      wake()
    }
  }

  /// One attempt answers all who ask for the same.
  private func serveRequests(_ wish: RegistrationWish) async {
    let waiting = requests.prefix { $0.wish == wish }
    requests.removeFirst(waiting.count)
    let result: Result<Void, any Error>
    do {
      result = try await fulfil(wish)
    } catch {
      result = .failure(error)
    }
    await publish()
    for request in waiting { request.answer.resume(with: result) }
  }

  private func fulfil(_ wish: RegistrationWish) async throws(RPCError) -> Result<Void, any Error> {
    if machine.goal == .unregistered, [.disable, .enable].contains(wish) {
      throw RPCError(.failedPrecondition, "the connector is unregistered: register it (omsctl register)")
    }
    switch wish {
    case .register:
      try await choose(.registered)
      return await take(.register(machine.neededManner ?? .plain))
    case .unregister:
      try await choose(.unregistered)
      return await take(.unregister)
    case .disable:
      try await choose(.disabled)
      return machine.state == .disabled ? .success(()) : await take(.disable)
    case .enable:
      try await choose(.registered)
      guard let manner = machine.neededManner else { return .success(()) }
      return await take(.register(manner))
    case .look:
      // Comes by ``suspectLost()``, and waits for no turn.
      machine.suspectLost(now: now())
      return .success(())
    }
  }

  /// What somebody wants is durable before the OMS hears of it, so that no end of the process leaves it half done.
  private func choose(_ goal: RegistrationMachine.Goal) async throws(RPCError) {
    guard goal != machine.goal else { return }
    do {
      try await memory.save(KeptRegistration(goal: goal, isSettled: false, changedAt: now()))
    } catch {
      throw RPCError(.unavailable, "what was asked for could not be kept, so nothing was done: \(error)")
    }
    machine.choose(goal, now: now())
  }

  // MARK: Doing it

  private func take(_ step: RegistrationMachine.Step) async -> Result<Void, any Error> {
    switch step {
    case .register(let manner): await attempt(manner)
    case .unregister: await reach(.unregistered) { port throws(ServiceBusError) in try await port.unregister() }
    case .disable: await reach(.disabled) { port throws(ServiceBusError) in try await port.disable() }
    case .check, .wait, .rest: .success(())
    }
  }

  private func attempt(_ manner: RegistrationManner) async -> Result<Void, any Error> {
    guard let port, let content = machine.content else { return .success(()) }
    do throws(RegistrationFailure) {
      let result = try await port.register(content, manner)
      if manner != .renewing || machine.state != .registered { Log.info("registered with the OMS") }
      switch result {
      case .accepted:
        machine.registrationSucceeded(content, now: now(), random: .random(in: 0...1))
        signing?.registered(content.secretGeneration)
        secretMark = signing.map { SigningSecrets.mark(of: $0.current.secret) } ?? []
      case .held: machine.registrationHeld(now: now(), random: .random(in: 0...1))
      }
      return .success(())
    } catch {
      let reason = "\(error.reason)"
      machine.registrationFailed(reason, isLost: error.isLost, now: now(), random: .random(in: 0...1))
      return failure("the OMS did not register the connector", reason)
    }
  }

  private func reach(
    _ goal: RegistrationMachine.Goal, _ tell: (any RegistrationPort) async throws(ServiceBusError) -> Void
  ) async -> Result<Void, any Error> {
    guard let port else { return .success(()) }
    do throws(ServiceBusError) {
      try await tell(port)
    } catch {
      machine.goalFailed("\(error)", now: now(), random: .random(in: 0...1))
      return failure("the OMS does not know yet that the connector is to be \(goal)", "\(error)")
    }
    machine.goalReached(now: now())
    Log.info("the OMS sends nothing any more", ["registration": "\(goal)"])
    do {
      try await memory.save(KeptRegistration(goal: goal, isSettled: true, changedAt: machine.stateSince))
    } catch {
      Log.warning("the OMS is told again after a restart", ["reason": LogValue(error)])
    }
    return .success(())
  }

  private func failure(_ what: String, _ reason: String) -> Result<Void, any Error> {
    if Task.isCancelled { return .failure(Self.stopping) }
    Log.warning("\(what)", ["reason": "\(reason)", "attempts": LogValue(machine.failedAttempts)])
    return .failure(RPCError(.unavailable, "\(what): \(reason)"))
  }

  private func check() async {
    guard let port, let content = machine.content else { return }
    let before = machine.checkResult
    machine.checked(await port.check(content), now: now(), random: .random(in: 0...1))
    if machine.checkResult != before, !Task.isCancelled {
      Log.info("looked for the registration", ["found": "\(machine.checkResult)"])
    }
  }

  // MARK: Waiting

  /// Waits for the time to pass, a request or the end.
  private func pause(for duration: Duration?) async {
    let timer = duration.map { duration in
      Task {
        // A cancelled sleep is a pause that has ended already.
        guard (try? await Task.sleep(for: duration)) != nil else { return }
        self.wake()
      }
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        sleeper = continuation
        if Task.isCancelled { wake() }
      }
    } onCancel: {
      Task { await self.wake() }
    }
    timer?.cancel()
  }

  private func wake() {
    sleeper?.resume()
    sleeper = nil
  }

  private static let outOfTime = RPCError(
    .unavailable, "the gateway can't renew its lease on the registration: nothing was done, try again later",
    details: [.retryInfo(.seconds(1))])
  private static let stopping = RPCError(.unavailable, "the gateway is stopping: try again later")
}
