import EventLoop
import RPC

/// All that a process measures for Prometheus: the calls that it takes, the calls that it makes, and itself.
public final class ServiceMetrics: Sendable {
  public let server: ServerMetrics
  public let client: ClientMetrics
  private let connections = Lock<(@Sendable () -> Int)?>(nil)

  /// - Parameter loops: of the group that everything runs on.
  public init(loops: Int) {
    server = ServerMetrics(loops: loops)
    client = ClientMetrics(loops: loops)
  }

  /// Says how many connections clients have open.
  func count(_ connections: @escaping @Sendable () -> Int) { self.connections.withLock { $0 = connections } }

  /// Writes all metrics.
  public func write(to text: inout Exposition) {
    server.write(to: &text)
    client.write(to: &text)
    if let connections = connections.withLock({ $0 }) {
      text.begin("omsconnector_server_connections", .gauge, "Connections that gRPC clients have open")
      text.sample("omsconnector_server_connections", [:], UInt64(max(0, connections())))
    }
    ProcessMetrics.write(to: &text)
  }
}
