/// The limits of an HTTP server. Every one of them protects the process from a peer that is slow, greedy or hostile.
public struct HTTPServerOptions: Sendable {
  /// A larger body is answered with 413 and the connection is closed; no more than this is kept of it.
  public var maxBodyBytes = 4 << 20
  /// All bodies that are held at one time; a request beyond is answered with 503.
  public var maxBufferedBytes = 64 << 20
  /// Request line and header fields of one request; more is answered with 431 (or 414) and the connection closed.
  public var maxHeaderBytes = 32 << 10
  /// One more connection closes the one that has waited longest for a request.
  public var maxConnections = 512
  /// A connection on which no byte has moved for so long is closed; whole seconds, at least one.
  public var idleTimeout: Duration = .seconds(30)
  /// A request must have arrived whole, and its response been taken, within this time, so that sending a byte now and
  /// then does not hold a connection for ever. The handler's own time does not count.
  public var transferTimeout: Duration = .seconds(60)
  /// Runs the handlers; nil means Swift's global pool.
  public var executor: (any TaskExecutor)?
  /// What to answer to a request that no handler sees.
  public var rejection: @Sendable (HTTPRejection) -> HTTPResponse = { $0.plainResponse }

  public init() {}

  /// How much of a body that is too large is read and thrown away, so that a client that writes before it reads sees
  /// the answer rather than a connection reset.
  var maxDiscardedBytes: Int { 4 * maxBodyBytes + (1 << 20) }
}

/// A request that the server answers by itself.
public struct HTTPRejection: Sendable, Equatable {
  /// Why the handler is not asked.
  public enum Reason: Sendable, Equatable {
    /// Status 413.
    case bodyTooLarge(maxBytes: Int)
    /// Status 503: too many bodies are held already.
    case overloaded
    /// Status 503: the server stops and could not wait for the handler any longer.
    case stopping
  }
  public let reason: Reason
  /// The path of the request.
  public let target: String

  /// The HTTP status that says so.
  public var status: Int {
    switch reason {
    case .bodyTooLarge: 413
    case .overloaded, .stopping: 503
    }
  }

  /// What is wrong and what to do.
  public var message: String {
    switch reason {
    case .bodyTooLarge(let maxBytes): "the body is larger than \(maxBytes) bytes: send the message in parts"
    case .overloaded: "too many requests at once: try again later"
    case .stopping: "the server is stopping: try again later"
    }
  }

  /// The message as text.
  public var plainResponse: HTTPResponse {
    let headers: HTTPHeaders = ["Content-Type": "text/plain; charset=utf-8"]
    return HTTPResponse(status: status, headers: headers, body: Array("\(message)\n".utf8))
  }
}
