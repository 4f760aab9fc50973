import EventLoop

/// A method that a server passes on without looking into its messages.
public struct ForwardedMethod: Sendable {
  /// E.g. `omsconnector.v1.InventoryService`.
  public let service: String
  /// E.g. `GetStock`.
  public let method: String
  /// Which sides stream.
  public let type: CallType
  /// Whether it may be called again, on another replica.
  public let idempotency: IdempotencyLevel

  /// What the properties say.
  public init(service: String, method: String, type: CallType, idempotency: IdempotencyLevel) {
    self.service = service
    self.method = method
    self.type = type
    self.idempotency = idempotency
  }
}

extension Router {
  /// Passes calls of `method` on to `channel`: messages byte for byte, metadata but for credentials, what is left of the deadline, the
  /// cancellation; and the answer back with its metadata and status. A unary call of an idempotent method moves to
  /// another replica when its own fails.
  public mutating func forward(_ method: ForwardedMethod, to channel: Channel) {
    let path = "/\(method.service)/\(method.method)"
    switch method.type {
    case .unary:
      add(method.service, path, .forwarded(UnaryForwarder(method, to: channel)))
    case .clientStreaming, .serverStreaming, .bidirectional:
      add(
        method.service, path,
        .streaming { stream in
          try await withoutAddresses(of: method.service) { try await pump(stream, path: path, channel) }
        })
    }
  }
}

/// Where a service is, is for the log (as the cause), not for whoever calls it through here.
func withoutAddresses<Result: Sendable>(
  of service: String, _ body: () async throws -> Result
) async throws -> Result {
  do {
    return try await body()
  } catch let error as RPCError {
    guard let cause = error.cause as? NoConnection else { throw error }
    throw RPCError(
      .unavailable, "\(service) can't be reached now: try again later",
      details: [
        .errorInfo(reason: "SERVICE_UNREACHABLE", domain: "omsconnector", metadata: ["service": service]),
        .retryInfo(.seconds(1)),
      ], cause: cause)
  }
}

extension CallOptions {
  /// For a call that is passed on: what is left of its deadline, its metadata and trace, and its messages as they are, compressed or
  /// not. Both ends have to agree on the encoding, as they would without us in between.
  init(forwarding stream: ServerStream) {
    stream.passesCompressed = true
    let context = ServerContext(stream: stream)
    self.init(timeout: context.remainingTime, metadata: context.metadata, trace: context.trace)
    // It was for us: whoever is behind us could call us with it, in the client's name.
    self.metadata.removeAll(named: "authorization")
    passing = Passing(encoding: stream.inboundEncoding, acceptsGzip: stream.acceptsGzip)
  }
}

/// Copies messages both ways until the upstream call has ended.
private func pump(_ downstream: ServerStream, path: String, _ channel: Channel) async throws {
  let context = ServerContext(stream: downstream)
  let upstream = try await channel.open(
    path: path, options: CallOptions(forwarding: downstream), isUnary: false)
  try await withTaskCancellationHandler {
    let requests = Task(executorPreference: downstream.loop) {
      do {
        while let message = try await downstream.nextMessage({ downstream.wireMessage($0) }) {
          try await upstream.send(message)
        }
        await upstream.onLoop { upstream.finishSending() }
      } catch {
        // The client is gone, or the upstream call has ended, which the loop below reports.
        await upstream.onLoop { if downstream.failure != nil { upstream.cancel() } }
      }
    }
    defer { requests.cancel() }
    // Headers come with the first message at the latest, or with the end of a call that has none.
    func passHeaders() {
      guard !downstream.responseStarted else { return }
      context.setInitialMetadata(upstream.initialMetadata)
      if upstream.inboundEncoding == .gzip { downstream.outboundEncoding = .gzip }
    }
    do {
      while let message = try await upstream.nextMessage({ upstream.wireMessage($0) }) {
        passHeaders()
        try await downstream.send(message)
      }
    } catch {
      passHeaders()
      throw error
    }
    passHeaders()
    context.setTrailingMetadata(upstream.trailingMetadata)
  } onCancel: {
    upstream.loop.execute { upstream.cancel() }
  }
}
