import EventLoop
import Messages

/// Hears from a replica whether it serves, over the connection that its calls go over.
///
/// One that has said nothing yet serves, as does one that knows nothing of health. When the watch ends before the connection does,
/// what was said last holds until the replica has been asked anew.
///
/// Source: gRPC's proposal A17, "Client-Side Health Checking", and `doc/health-checking.md`.
final class HealthWatch: LoopTimer, @unchecked Sendable {
  // Sendable by the loop: everything is touched there only.
  private let loop: EventLoop
  private let connection: ClientConnection
  /// Until the watch is stopped.
  private var owner: Subchannel?
  private var stream: ClientStream?

  private static let path = "/grpc.health.v1.Health/Watch"
  /// Before a watch that has ended is begun anew.
  static let pause = Duration.seconds(1)
  /// A status is two bytes.
  private static let messageLimit = 1 << 10

  init(_ connection: ClientConnection, loop: EventLoop, owner: Subchannel) {
    self.connection = connection
    self.loop = loop
    self.owner = owner
  }

  func start() {
    let stream = ClientStream(loop: loop, messageLimit: HealthWatch.messageLimit, isUnary: false)
    do throws(RPCError) {
      try connection.open(stream, path: HealthWatch.path, metadata: [:], deadline: nil)
    } catch {
      // The row of the connection's calls is full.
      return startLater()
    }
    self.stream = stream
    // A request without fields is for the server as a whole.
    stream.enqueue(bytes: [])
    stream.finishSending()
    Task(executorPreference: loop) { await self.listen(to: stream) }
  }

  /// Says nothing more.
  func stop() {
    owner = nil
    loop.cancel(self)
    stream?.cancel()
    stream = nil
  }

  private func listen(to stream: ClientStream) async {
    do {
      while let status = try await stream.nextMessage({ try Grpc.Health.V1.HealthCheckResponse(response: $0).status }) {
        owner?.said(isServing: status == .serving)
      }
    } catch {
      // A server without the service can't say that it does not serve.
      if (error as? RPCError)?.code == .unimplemented {
        owner?.said(isServing: true)
        return
      }
    }
    startLater()
  }

  /// Unless the connection is about to be replaced, and the watch with it.
  private func startLater() {
    guard owner != nil, !connection.isClosed, !connection.isGoingAway else { return }
    loop.schedule(self, at: EventLoop.monotonicNanoseconds() &+ HealthWatch.pause.nanoseconds)
  }

  /// The pause is over.
  override func fire() { start() }
}
