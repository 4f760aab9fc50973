import CMicroHTTPD
import EventLoop
import Glibc

/// What libmicrohttpd's thread, the handlers and `shutdown` share.
final class ServerCore: Sendable {
  private struct State {
    var connections: ConnectionTable
    var replies: [ObjectIdentifier: Reply] = [:]
    var openRequests = 0
    var bufferedBytes = 0
    var isDraining = false
    var hasAbandoned = false
    var isSweeping = false
    var idleWaiters: [CheckedContinuation<Void, Never>] = []
  }

  let options: HTTPServerOptions
  let handler: HTTPServer.Handler
  let loop: ServerLoop
  private let state: Lock<State>

  init(options: HTTPServerOptions, loop: ServerLoop, handler: @escaping HTTPServer.Handler) {
    self.options = options
    self.loop = loop
    self.handler = handler
    let connections = ConnectionTable(maxConnections: options.maxConnections, transferTimeout: options.transferTimeout)
    state = Lock(State(connections: connections))
  }

  // MARK: Connections

  func connectionOpened(_ connection: OpaquePointer) {
    let socket = mhd_socket(connection)
    let startsSweep = state.withLock { state in
      // Under the lock: a socket in the table is open, because `connectionClosed` comes before libmicrohttpd closes it.
      if let evicted = state.connections.opened(Self.id(connection), socket: socket, now: .now) {
        Glibc.shutdown(evicted, Int32(SHUT_RDWR))
      }
      defer { state.isSweeping = true }
      return !state.isSweeping
    }
    if startsSweep { Task { await self.sweep() } }
  }

  func connectionClosed(_ connection: OpaquePointer) {
    state.withLock { $0.connections.closed(Self.id(connection)) }
  }

  /// Shuts down overdue connections for as long as there are connections.
  private func sweep() async {
    let interval = min(.seconds(5), max(.milliseconds(20), options.transferTimeout / 8))
    repeat {
      // Nobody cancels this task, and one that was would still have to look at the table.
      try? await Task.sleep(for: interval)
    } while state.withLock { state in
      for socket in state.connections.overdue(now: .now) { Glibc.shutdown(socket, Int32(SHUT_RDWR)) }
      state.isSweeping = !state.connections.isEmpty
      return state.isSweeping
    }
  }

  // MARK: Requests

  func requestBegan(on connection: OpaquePointer) {
    state.withLock { state in
      state.openRequests += 1
      state.connections.moved(Self.id(connection), to: .receiving, now: .now)
    }
  }

  /// - Returns: false when too much is held already.
  func reserve(_ bytes: Int) -> Bool {
    state.withLock { state in
      guard state.bufferedBytes + bytes <= options.maxBufferedBytes else { return false }
      state.bufferedBytes += bytes
      return true
    }
  }

  func release(_ bytes: Int) { state.withLock { $0.bufferedBytes -= bytes } }

  /// - Returns: false when it is too late for a handler.
  func handlerBegins(_ reply: Reply, on connection: OpaquePointer) -> Bool {
    state.withLock { state in
      guard !state.hasAbandoned else { return false }
      state.replies[ObjectIdentifier(reply)] = reply
      state.connections.moved(Self.id(connection), to: .handling, now: .now)
      return true
    }
  }

  func responseBegins(on connection: OpaquePointer) {
    state.withLock { $0.connections.moved(Self.id(connection), to: .responding, now: .now) }
  }

  func requestEnded(_ reply: Reply?, on connection: OpaquePointer) {
    let waiters = state.withLock { state in
      if let reply { state.replies[ObjectIdentifier(reply)] = nil }
      state.connections.moved(Self.id(connection), to: .waiting, now: .now)
      state.openRequests -= 1
      guard state.openRequests == 0 else { return [CheckedContinuation<Void, Never>]() }
      defer { state.idleWaiters = [] }
      return state.idleWaiters
    }
    for waiter in waiters { waiter.resume() }
  }

  // MARK: Stopping

  var isDraining: Bool { state.withLock { $0.isDraining } }

  func drain() { state.withLock { $0.isDraining = true } }

  /// Returns when the last request has been answered.
  func untilIdle() async {
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if state.openRequests > 0 { state.idleWaiters.append(continuation) }
        return state.openRequests == 0
      }
      if isIdle { continuation.resume() }
    }
  }

  /// Ends every request now: transfers are cut, handlers cancelled and their clients told.
  func abandonRequests() {
    let replies = state.withLock { state in
      state.hasAbandoned = true
      for socket in state.connections.abandonTransfers(now: .now) { Glibc.shutdown(socket, Int32(SHUT_RDWR)) }
      return Array(state.replies.values)
    }
    for reply in replies { reply.abandon(stopping) }
  }

  /// The answer to a request whose handler is not waited for.
  var stopping: HTTPResponse { options.rejection(HTTPRejection(reason: .stopping, target: "")) }

  private static func id(_ connection: OpaquePointer) -> UInt { UInt(bitPattern: connection) }
}
