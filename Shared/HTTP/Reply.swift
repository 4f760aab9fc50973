import CMicroHTTPD
import EventLoop

/// The answer to one request: the handler's task gives it, libmicrohttpd's thread takes it.
final class Reply: Sendable {
  /// A suspended connection. It may cross threads because between MHD_suspend_connection and MHD_resume_connection
  /// libmicrohttpd neither uses nor frees it, and `Reply` resumes it exactly once.
  struct SuspendedConnection: @unchecked Sendable {
    let pointer: OpaquePointer
  }

  private enum State {
    case open(Task<Void, Never>?)
    case answered(HTTPResponse)
  }

  private let connection: SuspendedConnection
  private let loop: ServerLoop
  private let state = Lock(State.open(nil))

  /// Suspends `connection` until there is an answer. Call on libmicrohttpd's thread, from the request's callback.
  init(suspending connection: OpaquePointer, loop: ServerLoop) {
    self.loop = loop
    self.connection = SuspendedConnection(pointer: connection)
    MHD_suspend_connection(connection)
  }

  /// Requests with no more bytes are handled where they arrive.
  private static let shortBodyBytes = 16 << 10

  /// Runs the handler. A short request's runs on the server's own thread: to wake another one takes as long as to read such a
  /// message. A long one must not hold up what the other connections have to say.
  func start(_ request: HTTPRequest, on executor: (any TaskExecutor)?, _ handler: @escaping HTTPServer.Handler) {
    let isShort = executor == nil && request.body.count <= Self.shortBodyBytes
    let task =
      isShort
      ? loop.startTask { self.finish(await handler(request)) }
      : Task(executorPreference: executor) { self.finish(await handler(request)) }
    state.withLock { if case .open = $0 { $0 = .open(task) } }
  }

  /// The first answer counts.
  func finish(_ response: HTTPResponse) {
    let isFirst = state.withLock { state in
      guard case .open = state else { return false }
      state = .answered(response)
      return true
    }
    if isFirst { loop.resume(connection) }
  }

  /// Answers in the handler's place and cancels it.
  func abandon(_ response: HTTPResponse) {
    let task = state.withLock { state in if case .open(let task) = state { task } else { Task<Void, Never>?.none } }
    finish(response)
    task?.cancel()
  }

  var response: HTTPResponse? {
    state.withLock { state in if case .answered(let response) = state { response } else { HTTPResponse?.none } }
  }
}
