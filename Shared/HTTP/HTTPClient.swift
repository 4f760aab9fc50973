/// An HTTP/1.1 client on libcurl, with one thread for all requests. It keeps connections open and uses them again,
/// follows no redirects, and honours the proxy variables of the environment as curl does.
public final class HTTPClient: Sendable {
  private let options: HTTPClientOptions
  private let queue: TransferQueue

  public init(options: HTTPClientOptions = .init()) {
    self.options = options
    queue = TransferQueue(options: options)
    TransferLoop.start(queue, options)
  }

  deinit { queue.close() }

  /// Sends `request` to the absolute URL in its target and answers with whatever status the server gave.
  ///
  /// - Parameter timeout: instead of the client's.
  /// - Throws: `HTTPClientError`, or `CancellationError` when the task was cancelled.
  public func send(_ request: HTTPRequest, timeout: Duration? = nil) async throws -> HTTPResponse {
    try Task.checkCancellation()
    if let name = request.headers.firstUnsendable {
      throw HTTPClientError(.invalidRequest, url: request.target, "header field \"\(name)\" holds bytes that none may")
    }
    guard request.method.utf8.allSatisfy(HTTPHeaders.isTokenByte), !request.target.utf8.contains(0) else {
      throw HTTPClientError(.invalidRequest, url: request.target, "the method or the URL holds bytes that none may")
    }
    let deadline = ContinuousClock.now + (timeout ?? options.timeout)
    let transfer = Transfer(request: request, deadline: deadline, options: options)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        transfer.begin(continuation)
        if !queue.submit(transfer) {
          let reason = "\(options.maxWaitingRequests) requests wait already"
          transfer.finish(.failure(HTTPClientError(.overloaded, url: request.target, reason)))
        }
      }
    } onCancel: {
      transfer.finish(.failure(CancellationError()))
      queue.cancel(transfer)
    }
  }
}
