import EventLoop
import RPC

/// The calls of a process's channels as gRPC A66 measures them: attempts, and the calls that they were made for.
///
/// Bounded: methods and targets beyond the first thousand pairs are counted as `other`.
///
/// See also: ``ServerMetrics``.
public final class ClientMetrics: ClientInterceptor {
  private struct Key: Hashable {
    let method: String
    let target: String
  }

  private final class PerMethod: ClientMethodInterceptor {
    let attempts: CallCounters
    let calls: CallCounters

    init(loops: Int) {
      attempts = CallCounters(loops: loops)
      calls = CallCounters(loops: loops)
    }

    func attemptStarted(loopIndex: Int) { attempts.started(loopIndex: loopIndex) }

    func attemptEnded(_ summary: AttemptSummary) {
      attempts.ended(
        summary.code, nanoseconds: summary.durationNanoseconds, messages: summary.messages,
        loopIndex: summary.loopIndex)
    }

    func callEnded(_ error: RPCError?, durationNanoseconds: UInt64, loopIndex: Int) {
      calls.ended(error?.code ?? .ok, nanoseconds: durationNanoseconds, messages: nil, loopIndex: loopIndex)
    }
  }

  private let loops: Int
  private let limit: Int
  private let methods = Lock<[Key: PerMethod]>([:])

  /// - Parameters:
  ///   - loops: of the group that the channels run on.
  ///   - limit: pairs of method and target that are told apart.
  public init(loops: Int, limit: Int = 1000) {
    self.loops = loops
    self.limit = limit
  }

  public func interceptor(forPath path: String, target: Target) -> (any ClientMethodInterceptor)? {
    let name = path.isEmpty ? ServerMetrics.other : String(path.dropFirst())
    return methods.withLock { methods in
      var key = Key(method: name, target: "\(target)")
      if methods[key] == nil && methods.count >= limit {
        key = Key(method: ServerMetrics.other, target: ServerMetrics.other)
      }
      if let known = methods[key] { return known }
      let method = PerMethod(loops: loops)
      methods[key] = method
      return method
    }
  }

  /// Writes all metrics.
  public func write(to text: inout Exposition) {
    let methods = methods.withLock { Array($0) }
      .sorted { ($0.key.method, $0.key.target) < ($1.key.method, $1.key.target) }
    text.begin("grpc_client_attempt_started_total", .counter, "Attempts to make a call, by method")
    for (key, method) in methods {
      text.sample(
        "grpc_client_attempt_started_total", ["grpc_method": key.method, "grpc_target": key.target],
        method.attempts.startedCount)
    }
    func series(_ counters: (PerMethod) -> CallCounters) -> [CallSeries] {
      methods.flatMap { key, method in
        counters(method).totals().map {
          CallSeries(method: key.method, target: key.target, code: $0.code, totals: $0.totals)
        }
      }
    }
    let attempts = series(\.attempts)
    text.durations("grpc_client_attempt_duration_seconds", "From an attempt's headers to its status", attempts)
    text.sizes(
      "grpc_client_attempt", sent: "Bytes of an attempt's requests, compressed, without framing",
      received: "Bytes of an attempt's responses, compressed, without framing", attempts)
    text.durations(
      "grpc_client_call_duration_seconds", "From the wish to call to the last attempt's status", series(\.calls))
  }
}
