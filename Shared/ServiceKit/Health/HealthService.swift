import Messages
import RPC
import Stubs
import Synchronization

/// `grpc.health.v1.Health`: whether the server as a whole ("") and each of its services serves.
///
/// Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
public final class HealthService: Grpc.Health.V1.Health {
  public typealias Status = Grpc.Health.V1.HealthCheckResponse.ServingStatus
  /// Asks somebody else, e.g. the replicas that a gateway forwards to.
  public typealias Probe = @Sendable () async -> Status

  /// Watches that may be open at once.
  static let watchLimit = 1000

  private struct State {
    var statuses: [String: Status] = [:]
    var probes: [String: Probe] = [:]
    var watches: [Int: Watch] = [:]
    var nextWatch = 0
    var isDraining = false

    func status(of service: String) -> Status? {
      guard let status = statuses[service] else { return nil }
      return isDraining ? .notServing : status
    }
  }

  private struct Watch {
    let service: String
    let changes: AsyncStream<Status>.Continuation
  }

  private let state: Mutex<State>

  /// - Parameter services: full names; they serve from the start, as does the whole.
  public init(services: [String]) {
    var state = State()
    for service in services + [""] { state.statuses[service] = .serving }
    self.state = Mutex(state)
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

  /// Lets `probe` answer each Check of `name`; such a name cannot be watched.
  public func delegate(_ name: String, to probe: @escaping Probe) {
    state.withLock { $0.probes[name] = probe }
  }

  /// Everything is NOT_SERVING from now on, and watches end: the process is about to stop.
  public func drain() {
    state.withLock { state in
      state.isDraining = true
      for watch in state.watches.values {
        watch.changes.yield(state.status(of: watch.service) ?? .serviceUnknown)
        watch.changes.finish()
      }
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
    guard state.withLock({ $0.probes[request.service] == nil }) else {
      throw RPCError(.unimplemented, "service \"\(request.service)\" can be checked, not watched")
    }
    let (id, changes) = try open(request.service)
    defer { state.withLock { _ = $0.watches.removeValue(forKey: id) } }
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
      guard state.watches.count < Self.watchLimit else {
        throw RPCError(.resourceExhausted, "\(Self.watchLimit) watches are open, which is the most; use Check")
      }
      continuation.yield(state.status(of: service) ?? .serviceUnknown)
      if state.isDraining { continuation.finish() }
      defer { state.nextWatch += 1 }
      state.watches[state.nextWatch] = Watch(service: service, changes: continuation)
      return state.nextWatch
    }
    return (id, changes)
  }
}
