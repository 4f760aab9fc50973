import EventLoop
import Messages
import RPC
import Stubs

/// `grpc.health.v1.Health`: whether the server as a whole ("") and each of its services serves.
///
/// Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
public final class HealthService: Grpc.Health.V1.Health {
  public typealias Status = Grpc.Health.V1.HealthCheckResponse.ServingStatus
  /// Asks somebody else, e.g. the replicas that a gateway forwards to.
  public typealias Probe = @Sendable () async -> Status

  /// Watches that may be open at once.
  private let watchLimit: Int
  /// How often somebody else is asked while a name of theirs is watched, by however many.
  private let probeInterval: Duration

  private struct State {
    var statuses: [String: Status] = [:]
    var probes: [String: Probe] = [:]
    var watches: [Int: Watch] = [:]
    var nextWatch = 0
    /// One for each watched name that somebody else answers for.
    var pollers: [String: Poller] = [:]
    var isDraining = false
    var isCutOff = false

    func status(of service: String) -> Status? {
      guard let status = statuses[service] else { return nil }
      return isDraining || isCutOff ? .notServing : status
    }
  }

  private struct Watch {
    let service: String
    let changes: AsyncStream<Status>.Continuation
  }

  private struct Poller {
    let task: Task<Void, Never>
    /// What the last probe said.
    var status: Status?
  }

  private let state: Lock<State>

  /// - Parameters:
  ///   - services: full names; they serve from the start, as does the whole.
  ///   - probeInterval: how long after a probe the next one begins, while its name is watched.
  ///   - watchLimit: watches that may be open at once; more are refused.
  public init(services: [String], probeInterval: Duration = .milliseconds(500), watchLimit: Int = 1000) {
    self.watchLimit = watchLimit
    self.probeInterval = probeInterval
    var state = State()
    for service in services + [""] { state.statuses[service] = .serving }
    self.state = Lock(state)
  }

  /// Says how a service is from now on; watchers are told when that is news.
  public func set(_ status: Status, for service: String) {
    state.withLock { state in
      state.statuses[service] = status
      for watch in state.watches.values where watch.service == service {
        watch.changes.yield(state.status(of: service) ?? .serviceUnknown)
      }
    }
  }

  /// Whether what all services need is there: while it is not, everything is NOT_SERVING that nobody else answers for.
  public func setCutOff(_ isCutOff: Bool) {
    state.withLock { state in
      state.isCutOff = isCutOff
      for watch in state.watches.values where state.probes[watch.service] == nil {
        watch.changes.yield(state.status(of: watch.service) ?? .serviceUnknown)
      }
    }
  }

  /// Lets `probe` answer each Check of `name`. While the name is watched, it is asked again and again.
  public func delegate(_ name: String, to probe: @escaping Probe) {
    state.withLock { $0.probes[name] = probe }
  }

  /// Everything is NOT_SERVING from now on, and watches end: the process is about to stop.
  public func drain() {
    state.withLock { state in
      state.isDraining = true
      for watch in state.watches.values {
        let isDelegated = state.probes[watch.service] != nil
        watch.changes.yield(isDelegated ? .notServing : state.status(of: watch.service) ?? .serviceUnknown)
        watch.changes.finish()
      }
      for poller in state.pollers.values { poller.task.cancel() }
      state.pollers = [:]
    }
  }

  public func check(
    _ request: Grpc.Health.V1.HealthCheckRequest, context: ServerContext
  ) async throws -> Grpc.Health.V1.HealthCheckResponse {
    let service = request.service
    if let probe = state.withLock({ $0.isDraining ? nil : $0.probes[service] }) {
      return .init(status: await probe())
    }
    guard let status = state.withLock({ $0.status(of: service) }) else {
      let known = state.withLock { Set($0.statuses.keys).union($0.probes.keys).subtracting([""]).sorted() }
      throw RPCError(.notFound, "service \"\(service)\" is not known here; known are \(known.joined(separator: ", "))")
    }
    return .init(status: status)
  }

  public func watch(
    _ request: Grpc.Health.V1.HealthCheckRequest, responses: ResponseWriter<Grpc.Health.V1.HealthCheckResponse>,
    context: ServerContext
  ) async throws {
    let (id, changes) = try open(request.service)
    defer { close(id, request.service) }
    var last: Status?
    // Ends when the server drains, with OK: a failure would overtake the last status.
    for await status in changes where status != last {
      try await responses.send(.init(status: status))
      last = status
    }
  }

  /// A watcher that reads slowly misses what has been overtaken, never the newest.
  private func open(_ service: String) throws -> (id: Int, changes: AsyncStream<Status>) {
    let (changes, continuation) = AsyncStream.makeStream(of: Status.self, bufferingPolicy: .bufferingNewest(1))
    let id = try state.withLock { state in
      guard state.watches.count < watchLimit else {
        throw RPCError(.resourceExhausted, "\(watchLimit) watches are open, which is the most; use Check")
      }
      if let probe = state.probes[service], !state.isDraining {
        if let status = poller(of: service, probe, &state).status { continuation.yield(status) }
      } else {
        let isDelegated = state.probes[service] != nil
        continuation.yield(isDelegated ? .notServing : state.status(of: service) ?? .serviceUnknown)
      }
      if state.isDraining { continuation.finish() }
      defer { state.nextWatch += 1 }
      state.watches[state.nextWatch] = Watch(service: service, changes: continuation)
      return state.nextWatch
    }
    return (id, changes)
  }

  /// The last watch of a name that somebody else answers for takes its poller along.
  private func close(_ id: Int, _ service: String) {
    state.withLock { state in
      state.watches[id] = nil
      guard !state.watches.values.contains(where: { $0.service == service }) else { return }
      state.pollers.removeValue(forKey: service)?.task.cancel()
    }
  }

  /// The one that is there, or a new one, on the loop of the call that asks first.
  private func poller(of service: String, _ probe: @escaping Probe, _ state: inout State) -> Poller {
    if let poller = state.pollers[service] { return poller }
    let task = Task(executorPreference: EventLoop.current) { [weak self, probeInterval] in
      while !Task.isCancelled {
        let status = await probe()
        self?.publish(status, for: service)
        await Self.pause(for: probeInterval)
      }
    }
    let poller = Poller(task: task)
    state.pollers[service] = poller
    return poller
  }

  private static func pause(for duration: Duration) async {
    if let loop = EventLoop.current { return await loop.sleep(for: duration) }
    // A cancelled sleep ends early, and the caller looks at the cancellation.
    try? await Task.sleep(for: duration)
  }

  private func publish(_ status: Status, for service: String) {
    state.withLock { state in
      // A probe may answer after its poller was cancelled, or after another one has taken its place.
      guard !Task.isCancelled, state.pollers[service] != nil else { return }
      state.pollers[service]?.status = status
      for watch in state.watches.values where watch.service == service { watch.changes.yield(status) }
    }
  }
}
