import EventLoop
import Glibc
import Messages
import RPC
import Storage
import Stubs

@testable import ServiceKit

/// A gateway that notes what it is handed, and answers as a test tells it to.
final class ScriptedGateway: Sendable, Omsconnector.Internal.V1.DeliveryService {
  typealias Request = Omsconnector.Internal.V1.EnqueueRequest
  /// Called for each request, before it is noted; what it throws is the answer.
  typealias Script = @Sendable (_ request: Request, _ attempt: Int) async throws -> Void

  private struct State {
    var attempts: [String: Int] = [:]
    var taken: [Request] = []
    var waiting: [(count: Int, CheckedContinuation<Void, Never>)] = []
  }

  private let state = Lock(State())
  private let script: Script

  init(_ script: @escaping Script = { _, _ in }) { self.script = script }

  /// What it took, in order, each time that it took it.
  var taken: [Request] { state.withLock { $0.taken } }
  /// The bodies of what it took.
  var bodies: [String] { taken.map { String(decoding: $0.body, as: UTF8.self) } }
  /// How often it was asked.
  var attempts: Int { state.withLock { $0.attempts.values.reduce(0, +) } }

  /// Waits until it has taken so many.
  func takes(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.taken.count < count { state.waiting.append((count, continuation)) }
        return state.taken.count >= count
      }
      if isThere { continuation.resume() }
    }
  }

  func enqueue(_ request: Request, context: ServerContext) async throws -> Omsconnector.Internal.V1.EnqueueResponse {
    let attempt = state.withLock { state in
      state.attempts[request.deliveryId, default: 0] += 1
      return state.attempts[request.deliveryId] ?? 0
    }
    try await script(request, attempt)
    take(request)
    return .init(journalId: Int64(taken.count))
  }

  /// Notes a request; for scripts that lose the answer.
  func take(_ request: Request) {
    let ready = state.withLock { state in
      state.taken.append(request)
      let count = state.taken.count
      defer { state.waiting.removeAll { $0.count <= count } }
      return state.waiting.filter { $0.count <= count }.map(\.1)
    }
    for continuation in ready { continuation.resume() }
  }

  func call(
    _ request: Omsconnector.Internal.V1.CallRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.CallResponse {
    throw RPCError(.unimplemented, "not asked for here")
  }
}

/// A place that a script waits at until the test opens it.
final class Latch: Sendable {
  private let state = Lock((isOpen: false, waiting: [CheckedContinuation<Void, Never>]()))

  func pass() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}
