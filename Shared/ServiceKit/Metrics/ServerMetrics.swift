import EventLoop
import RPC

/// A server's calls as gRPC A66 measures them.
///
/// The calls of all methods that the server does not have are counted as method `other`, so that a client that makes
/// names up can't make series.
///
/// Source: <https://github.com/grpc/proposal/blob/master/A66-otel-stats.md>; names as OpenTelemetry's Prometheus exporter
/// spells them.
public final class ServerMetrics: ServerInterceptor {
  /// Stands for what can't be told apart.
  static let other = "other"

  private let loops: Int
  private let methods = Lock<[(name: String, counters: CallCounters)]>([])

  /// - Parameter loops: of the group that the server runs on.
  public init(loops: Int) { self.loops = loops }

  public func interceptor(forPath path: String) -> (any MethodInterceptor)? {
    let name = path.isEmpty ? Self.other : String(path.dropFirst())
    return methods.withLock { methods in
      // Servers of the same loops may share a method.
      if let known = methods.first(where: { $0.name == name }) { return PerMethod(counters: known.counters) }
      let counters = CallCounters(loops: loops)
      methods.append((name, counters))
      return PerMethod(counters: counters)
    }
  }

  private final class PerMethod: MethodInterceptor {
    private let counters: CallCounters
    init(counters: CallCounters) { self.counters = counters }

    func callStarted(_ context: ServerContext) throws(RPCError) { counters.started(loopIndex: context.loopIndex) }

    func callEnded(_ summary: CallSummary) {
      counters.ended(
        summary.code, nanoseconds: summary.durationNanoseconds, messages: summary.messages,
        loopIndex: summary.context.loopIndex)
    }
  }

  /// Writes all metrics.
  public func write(to text: inout Exposition) {
    let methods = methods.withLock { $0 }.filter { $0.counters.startedCount > 0 }
    text.begin("grpc_server_call_started_total", .counter, "Calls that a client has begun, by method")
    for (name, counters) in methods {
      text.sample("grpc_server_call_started_total", ["grpc_method": name], counters.startedCount)
    }
    let series = methods.flatMap { method in
      method.counters.totals().map { CallSeries(method: method.name, code: $0.code, totals: $0.totals) }
    }
    text.durations("grpc_server_call_duration_seconds", "From a call's headers to its status", series)
    text.sizes(
      "grpc_server_call", sent: "Bytes of a call's responses, compressed, without framing",
      received: "Bytes of a call's requests, compressed, without framing", series)
  }
}
