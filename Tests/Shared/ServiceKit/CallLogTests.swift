import EventLoop
import Messages
import RPC
import Stubs
import Synchronization
import Testing

@testable import ServiceKit

/// Takes lines in the log's place, at a time that the test sets.
private final class Lines: Sendable {
  struct Line {
    let level: LogLevel
    let message: String
    let fields: [String: LogValue]
    let trace: TraceContext
  }

  private let lines = Lock<[Line]>([])
  let now = Atomic<UInt64>(1_000_000_000)
  var all: [Line] { lines.withLock { $0 } }

  func log(least: LogLevel = .debug) -> CallLog {
    CallLog(now: { self.now.load(ordering: .relaxed) }, writes: { $0 >= least }) { level, message, fields, trace in
      let line = Line(
        level: level, message: message, fields: Dictionary(uniqueKeysWithValues: fields.map { ($0.key, $0.value) }),
        trace: trace)
      self.lines.withLock { $0.append(line) }
    }
  }
}

private struct Broken: Error, CustomStringConvertible {
  let description = "the disk is full"
}

@Suite("Log of calls", .timeLimit(.minutes(1)))
struct CallLogTests {
  private static let method = MethodDescriptor<Grpc.Health.V1.HealthCheckRequest, Grpc.Health.V1.HealthCheckRequest>(
    service: "a.B", method: "C", type: .unary)
  private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  /// Calls a method that throws `error`, or succeeds.
  private func call(_ log: CallLog, times: Int = 1, _ error: (any Error)? = nil) async throws -> RPCError? {
    try await withServer(
      { router in
        router.synchronous(Self.method) { request, _ in
          if let error { throw error }
          return request
        }
      }, options: ServerOptions(interceptors: [log])
    ) { (channel, _) async throws -> RPCError? in
      var last: RPCError?
      for _ in 0..<times {
        do throws(any Error) {
          _ = try await channel.unary(
            Self.method, .init(), options: CallOptions(metadata: ["traceparent": Self.parent]))
        } catch {
          last = error as? RPCError
        }
      }
      return last
    }
  }

  @Test("a failure that is ours is an error with its cause, which the client does not get")
  func cause() async throws {
    let lines = Lines()
    let seen = try await call(lines.log(), Broken())
    #expect(seen?.code == .internalError)
    #expect(seen?.message.contains("disk") == false)
    let line = try #require(lines.all.first)
    #expect(lines.all.count == 1)
    #expect(line.level == .error && line.message == "call failed")
    #expect(line.fields["method"] == "a.B/C" && line.fields["status"] == "INTERNAL")
    #expect(line.fields["cause"] == "the disk is full")
    #expect(line.fields["duration_ms"] != nil && line.fields["peer"] != nil)
    #expect(line.trace.traceID.description == "0af7651916cd43dd8448eb211c80319c")
  }

  @Test(
    "the level says whose fault it is",
    arguments: [
      (RPCError(.internalError, ""), LogLevel.error), (RPCError(.unknown, ""), .error),
      (RPCError(.dataLoss, ""), .error),
      (RPCError(.unavailable, ""), .warning), (RPCError(.deadlineExceeded, ""), .warning),
      (RPCError(.invalidArgument, ""), .info), (RPCError(.notFound, ""), .info),
      (RPCError(.unauthenticated, ""), .info),
      (RPCError(.unimplemented, ""), .info), (RPCError(.resourceExhausted, ""), .info),
      (RPCError(.resourceExhausted, "", cause: Broken()), .warning), (RPCError(.cancelled, ""), .debug),
    ])
  func level(error: RPCError, level: LogLevel) { #expect(CallLog.level(of: error) == level) }

  @Test("calls that succeed are logged at debug level only", arguments: [(LogLevel.debug, 1), (.info, 0)])
  func access(least: LogLevel, count: Int) async throws {
    let lines = Lines()
    _ = try await call(lines.log(least: least))
    #expect(lines.all.count == count)
    #expect(lines.all.allSatisfy { $0.level == .debug && $0.fields["status"] == "OK" })
  }

  @Test(
    "a client that makes calls fail gets a hundred lines, then one a second; the next line says what was left out",
    arguments: [StatusCode.invalidArgument, .internalError, .deadlineExceeded])
  func flood(_ code: StatusCode) async throws {
    let lines = Lines()
    let log = lines.log()
    _ = try await call(log, times: 150, RPCError(code, "no"))
    #expect(lines.all.count == 100)
    lines.now.wrappingAdd(1_000_000_000, ordering: .relaxed)
    _ = try await call(log, times: 20, RPCError(.invalidArgument, "no"))
    #expect(lines.all.count == 101)
    #expect(lines.all[99].fields["suppressed"] == nil)
    #expect(lines.all[100].fields["suppressed"] == 50)
    // What is our fault has lines of its own.
    _ = try await call(log, Broken())
    #expect(lines.all.last?.level == .error)
    #expect(lines.all.last?.fields["cause"] == "the disk is full")
  }
}
