import EventLoop
import Glibc
import RPC
import Synchronization

/// The process's log: one JSON object a line on standard error.
///
///     {"time":"2024-02-03T04:05:06.789Z","level":"info","service":"inventory","message":"started","fields":{"loops":2}}
///
/// A line is at most 4 096 bytes and goes out in one write(2), so that lines of several processes in one pipe never
/// mix. A line that is about a call names its trace as `trace_id`, first of its fields. Secrets are of the type ``Secret``, which shows itself as dots, wherever it is written.
public struct Log: Sendable {
  static let shared = Logger(descriptor: STDERR_FILENO)

  /// Names the process in every line and sets the least level that is written.
  public static func configure(service: String, level: LogLevel) { shared.configure(service: service, level: level) }

  /// What helps to find a fault. The arguments are not even made unless LOG_LEVEL asks for it.
  public static func debug(
    _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:],
    trace: TraceContext? = nil
  ) {
    guard shared.writes(.debug) else { return }
    shared.write(.debug, message(), Array(fields()), trace)
  }

  /// What an operator wants to have read afterwards.
  public static func info(
    _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:],
    trace: TraceContext? = nil
  ) {
    guard shared.writes(.info) else { return }
    shared.write(.info, message(), Array(fields()), trace)
  }

  /// Something failed and may pass, or was refused.
  public static func warning(
    _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:],
    trace: TraceContext? = nil
  ) {
    guard shared.writes(.warning) else { return }
    shared.write(.warning, message(), Array(fields()), trace)
  }

  /// Something failed for good and needs somebody.
  public static func error(
    _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:],
    trace: TraceContext? = nil
  ) {
    shared.write(.error, message(), Array(fields()), trace)
  }
}

/// Writes lines to one descriptor.
final class Logger: Sendable {
  private let descriptor: Int32
  private let level = Atomic<UInt8>(LogLevel.info.rawValue)
  private let service = Lock("")
  private let dropped = Atomic<Int>(0)

  init(descriptor: Int32) { self.descriptor = descriptor }

  func configure(service: String, level: LogLevel) {
    self.service.withLock { $0 = service }
    self.level.store(level.rawValue, ordering: .relaxed)
  }

  func writes(_ level: LogLevel) -> Bool { level.rawValue >= self.level.load(ordering: .relaxed) }

  typealias Fields = [(key: String, value: LogValue)]

  func write(_ level: LogLevel, _ message: String, _ fields: Fields, _ trace: TraceContext? = nil) {
    let lost = dropped.exchange(0, ordering: .relaxed)
    let name = service.withLock { $0 }
    if lost > 0 { put(.warning, name, "log lines were dropped, the reader was too slow", [("lines", LogValue(lost))]) }
    put(level, name, message, trace.map { [("trace_id", LogValue("\($0.traceID)"))] + fields } ?? fields)
  }

  private func put(_ level: LogLevel, _ service: String, _ message: String, _ fields: Fields) {
    let line = LogLine.render(time: Timestamp.now(), level: level, service: service, message: message, fields: fields)
    while Glibc.write(descriptor, line, line.count) < 0 {
      if errno == EINTR { continue }
      // A full non-blocking pipe: waiting would stall a loop, so the line is counted and named by the next one.
      dropped.add(1, ordering: .relaxed)
      return
    }
  }
}
