import EventLoop

/// A channel's connections on one loop, and whose turn it is.
///
/// Round robin keeps a connection to every address and gives calls to those that are ready in turn, but for those that
/// fail while others don't (`OutlierDetector`), or say that they don't serve (`HealthWatch`). Pick first keeps one
/// connection, to the first address that answers.
///
/// Sendable by the loop: everything is touched there only.
final class Balancer: @unchecked Sendable {
  let loop: EventLoop
  let keepalive: Keepalive
  let tls: ChannelTLS?
  private let target: Target
  let interceptors: ClientInterceptorTable
  private let balancing: Balancing
  private let requestResolution: @Sendable () -> Void
  private var subchannels: [Subchannel] = []
  private var turn = 0
  private var waiters: [CallWaiter] = []
  private var resolutionError: RPCError?
  private var isResolved = false
  private var isShutDown = false

  private let mayWatchHealth: Bool
  private var detector: OutlierDetector
  /// Whether any replica is left alone, so that the common case looks at none of the records.
  private var hasSpared = false
  private lazy var judgement = Judgement(self)

  /// Calls that wait for a connection at once; more fail.
  private static let waiterLimit = 10_000

  init(
    loop: EventLoop, target: Target, options: ChannelOptions, interceptors: ClientInterceptorTable,
    requestResolution: @escaping @Sendable () -> Void
  ) {
    self.loop = loop
    self.target = target
    keepalive = options.keepalive
    self.interceptors = interceptors
    balancing = options.balancing
    detector = OutlierDetector(options.outliers)
    mayWatchHealth = options.watchesHealth && options.balancing == .roundRobin
    tls = ChannelTLS(options, target: target)
    self.requestResolution = requestResolution
  }

  // MARK: Addresses

  func update(_ result: Result<[Address], RPCError>) {
    guard !isShutDown else { return }
    switch result {
    case .failure(let error):
      // What was known stays in use.
      resolutionError = error
    case .success(let addresses):
      isResolved = true
      resolutionError = nil
      replace(with: addresses)
    }
    stateChanged()
  }

  private func replace(with addresses: [Address]) {
    var old: [Address: Subchannel] = [:]
    for subchannel in subchannels { old[subchannel.address] = subchannel }
    var kept: [Subchannel] = []
    var added: [Subchannel] = []
    // In the resolver's order, which pick first goes by.
    subchannels = addresses.map { address in
      if let subchannel = old.removeValue(forKey: address) {
        kept.append(subchannel)
        return subchannel
      }
      let subchannel = Subchannel(address, balancer: self)
      added.append(subchannel)
      return subchannel
    }
    hasSpared = subchannels.contains(where: \.isSpared)
    for subchannel in old.values { subchannel.retire() }
    // What is known anew may be there again: no reason to sit out a back-off.
    for subchannel in kept { subchannel.startOver() }
    for subchannel in added { subchannel.connect() }
    // One that was alone was not asked.
    for subchannel in kept { subchannel.watchHealth() }
  }

  // MARK: Connections

  /// Whether replicas are asked for their health: one that is alone gets all calls whatever it says.
  var watchesHealth: Bool { mayWatchHealth && subchannels.count > 1 }

  func connectionLost() { requestResolution() }

  /// Whether `subchannel` may try to connect now.
  func mayConnect(_ subchannel: Subchannel) -> Bool {
    guard balancing == .pickFirst else { return true }
    return !subchannels.contains { $0 !== subchannel && ($0.state == .ready || $0.state == .connecting) }
  }

  func stateChanged() {
    if balancing == .pickFirst { keepOne() }
    guard !waiters.isEmpty else { return }
    let waiting = waiters
    waiters = []
    for waiter in waiting where !waiter.isDone {
      switch pick(waitForReady: waiter.waitForReady) {
      case .success(let pick?): waiter.finish(.success(pick), loop)
      case .success(nil): waiters.append(waiter)
      case .failure(let error): waiter.finish(.failure(error), loop)
      }
    }
  }

  /// Pick first: the next address when the one before it did not answer; none beside one that did.
  private func keepOne() {
    if let ready = subchannels.first(where: { $0.state == .ready }) {
      for other in subchannels where other !== ready { other.rest() }
    } else if !subchannels.contains(where: { $0.state == .connecting }) {
      subchannels.first { $0.state == .idle }?.connect()
    }
  }

  // MARK: Calls

  /// What the next call goes over; suspends while there may be something soon.
  /// - Throws: UNAVAILABLE when no address can be reached (unless the call waits for that), DEADLINE_EXCEEDED,
  ///   CANCELLED, RESOURCE_EXHAUSTED when too many calls wait.
  func pick(deadline: UInt64?, waitForReady: Bool) async throws -> Pick {
    if let pick = nextReady() { return pick }
    return try await wait(deadline: deadline, waitForReady: waitForReady)
  }

  /// The same, with patience where no address can be reached: a service that has just come back may not have been tried again yet.
  ///
  /// - Throws: UNAVAILABLE when it takes longer, unless the deadline comes first.
  func pick(deadline: UInt64?, waitForReady: Bool, patience: Duration) async throws -> Pick {
    do {
      return try await pick(deadline: deadline, waitForReady: waitForReady)
    } catch let error as RPCError where patience > .zero && error.cause is NoConnection && !isShutDown {
      let end = EventLoop.monotonicNanoseconds() &+ patience.nanoseconds
      do {
        return try await pick(deadline: min(deadline ?? end, end), waitForReady: true)
      } catch let late as RPCError where late.code == .deadlineExceeded && end < deadline ?? .max {
        throw error
      }
    }
  }

  private func wait(deadline: UInt64?, waitForReady: Bool) async throws -> Pick {
    if let pick = try pick(waitForReady: waitForReady).get() { return pick }
    // Calls whose deadline has passed or that were cancelled stay in the list until something changes.
    if waiters.count >= Balancer.waiterLimit { waiters.removeAll(where: \.isDone) }
    guard waiters.count < Balancer.waiterLimit else {
      throw RPCError(.resourceExhausted, "\(waiters.count) calls wait for a connection to \(target) already")
    }
    let waiter = CallWaiter(waitForReady: waitForReady)
    return try await withTaskCancellationHandler {
      try await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<Pick, RPCError>, Never>) in
        if waiter.isDone || Task.isCancelled {
          // A task that was cancelled before it came here has had its handler called already, with nobody to tell.
          waiter.finish(.failure(RPCError(.cancelled, "the call was cancelled")), loop)
          continuation.resume(returning: .failure(RPCError(.cancelled, "the call was cancelled")))
        } else {
          waiter.continuation = continuation
          if let deadline { loop.schedule(waiter, at: deadline) }
          waiters.append(waiter)
        }
      }.get()
    } onCancel: {
      let loop = loop
      loop.execute { waiter.finish(.failure(RPCError(.cancelled, "the call was cancelled")), loop) }
    }
  }

  /// Nil when it is worth while to wait.
  private func pick(waitForReady: Bool) -> Result<Pick?, RPCError> {
    guard !isShutDown else {
      let text = "the channel to \(target) is shut down"
      return .failure(RPCError(.unavailable, text, cause: NoConnection(target: target, reason: text)))
    }
    if let pick = nextReady() { return .success(pick) }
    if waitForReady || subchannels.contains(where: { $0.state == .connecting }) { return .success(nil) }
    if resolutionError == nil && !isResolved { return .success(nil) }
    let reason = resolutionError ?? subchannels.lazy.compactMap(\.lastError).first
    let text = reason?.message ?? "nothing answers at \(target): start the service"
    return .failure(RPCError(.unavailable, text, cause: NoConnection(target: target, reason: text)))
  }

  /// Whose turn it is. One that is left alone has none, unless nobody else is there: better a replica that fails now and
  /// then than none, and if all say that they don't serve, a call waits with one of them for what it lacks.
  @inline(__always) func nextReady() -> Pick? {
    assert(loop.isCurrent)
    if let pick = nextReady(orSpared: !hasSpared) { return pick }
    return hasSpared ? nextOfSpared() : nil
  }

  private func nextOfSpared() -> Pick? { nextReady(orSpared: true, ifServing: true) ?? nextReady(orSpared: true) }

  private func nextReady(orSpared: Bool, ifServing: Bool = false) -> Pick? {
    let count = subchannels.count
    var index = turn
    for _ in 0..<count {
      if index >= count { index = 0 }
      let subchannel = subchannels[index]
      index += 1
      guard subchannel.state == .ready, let connection = subchannel.connection, !connection.isGoingAway,
        orSpared || !subchannel.isSpared, !ifServing || subchannel.isServing
      else { continue }
      turn = index
      return Pick(subchannel: subchannel, connection: connection)
    }
    return nil
  }

  /// A replica says that it serves, or that it doesn't.
  func healthChanged() {
    guard !isShutDown else { return }
    hasSpared = subchannels.contains(where: \.isSpared)
    stateChanged()
  }

  // MARK: Outliers

  func failureRecorded(_ subchannel: Subchannel) {
    guard balancing == .roundRobin, let index = subchannels.firstIndex(where: { $0 === subchannel }) else { return }
    change { detector, records, now in
      _ = detector.failureRecorded(at: index, in: &records, now: now)
    }
  }

  fileprivate func judge() { change { detector, records, now in detector.judge(&records, now: now) } }

  private func change(_ body: (inout OutlierDetector, inout [ReplicaRecord], UInt64) -> Void) {
    guard !isShutDown else { return }
    var records = subchannels.map(\.record)
    body(&detector, &records, EventLoop.monotonicNanoseconds())
    for (subchannel, record) in zip(subchannels, records) { subchannel.record = record }
    hasSpared = subchannels.contains(where: \.isSpared)
    if let next = detector.nextJudgement(records) { loop.schedule(judgement, at: next) }
  }

  func shutDown() {
    isShutDown = true
    loop.cancel(judgement)
    for subchannel in subchannels { subchannel.retire() }
    subchannels = []
    stateChanged()
  }
}

/// The next time at which replicas are judged, or come back.
private final class Judgement: LoopTimer {
  private unowned let balancer: Balancer
  init(_ balancer: Balancer) { self.balancer = balancer }
  override func fire() { balancer.judge() }
}
