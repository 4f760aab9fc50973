import EventLoop
import RPC

/// A line for every call that fails: method, peer, status, duration, trace, and the cause, which the client does not get to
/// see.
/// At LOG_LEVEL=debug also for those that succeed.
///
/// Clients can make calls fail at will, so lines are limited: those about faults of clients and those about faults of ours
/// apart, as the former must not hide the latter. The next line that is written says how many were left out.
public final class CallLog: ServerInterceptor {
  typealias Write = @Sendable (LogLevel, String, Logger.Fields, TraceContext) -> Void

  private let clientFaults: LogAllowance
  private let ownFaults: LogAllowance
  private let writes: @Sendable (LogLevel) -> Bool
  private let write: Write

  /// Writes to the process's log.
  public convenience init() {
    self.init(
      now: EventLoop.monotonicNanoseconds, writes: Log.shared.writes, write: { Log.shared.write($0, $1, $2, $3) })
  }

  /// - Parameters:
  ///   - now: monotonic nanoseconds.
  ///   - writes: whether lines of a level are of interest at all.
  init(
    now: @escaping @Sendable () -> UInt64, writes: @escaping @Sendable (LogLevel) -> Bool, write: @escaping Write
  ) {
    clientFaults = LogAllowance(burst: 100, now: now)
    ownFaults = LogAllowance(burst: 100, now: now)
    self.writes = writes
    self.write = write
  }

  public func interceptor(forPath path: String) -> (any MethodInterceptor)? {
    PerMethod(log: self, name: path.isEmpty ? "unknown" : String(path.dropFirst()))
  }

  private struct PerMethod: MethodInterceptor {
    let log: CallLog
    let name: String

    func callEnded(_ summary: CallSummary) {
      if let error = summary.error { return log.failed(name, error, summary) }
      guard log.writes(.debug) else { return }
      log.write(.debug, "call", CallLog.fields(name, summary), summary.context.trace)
    }
  }

  private func failed(_ method: String, _ error: RPCError, _ summary: CallSummary) {
    let level = Self.level(of: error)
    guard writes(level) else { return }
    guard let suppressed = (Self.isOurs(error) ? ownFaults : clientFaults).take() else { return }
    var fields = Self.fields(method, summary)
    fields.append(("reason", LogValue(error.message)))
    if let cause = error.cause { fields.append(("cause", LogValue(cause))) }
    if suppressed > 0 { fields.append(("suppressed", LogValue(suppressed))) }
    write(level, "call failed", fields, summary.context.trace)
  }

  /// Whether it counts as a fault of ours, and not as one that a client may have brought about as often as it likes: by
  /// deadlines that nobody can meet, or by requests that end in the middle, for which gRPC has no other status than INTERNAL.
  private static func isOurs(_ error: RPCError) -> Bool {
    switch error.code {
    case .internalError, .deadlineExceeded: error.cause != nil
    default: level(of: error) >= .warning
    }
  }

  private static func fields(_ method: String, _ summary: CallSummary) -> Logger.Fields {
    let duration = Duration.nanoseconds(Int64(clamping: summary.durationNanoseconds))
    return [
      ("method", LogValue(method)), ("peer", LogValue("\(summary.context.peer)")),
      ("status", LogValue("\(summary.code)")), ("duration_ms", LogValue(duration)),
    ]
  }

  /// Whose fault it is. A cause says that something went wrong in here, whatever the client is told.
  static func level(of error: RPCError) -> LogLevel {
    switch error.code {
    case .unknown, .internalError, .dataLoss: .error
    case .unavailable, .deadlineExceeded: .warning
    case .cancelled: .debug
    default: error.cause == nil ? .info : .warning
    }
  }
}
