import EventLoop
import Messages
import RPC
import Stubs
import Testing

@testable import ServiceKit

@Suite("Metrics of calls", .timeLimit(.minutes(1)))
struct CallMetricsTests {
  private static let method = MethodDescriptor<Grpc.Health.V1.HealthCheckRequest, Grpc.Health.V1.HealthCheckRequest>(
    service: "a.B", method: "C", type: .unary)

  private func text(_ write: (inout Exposition) -> Void) -> [Substring] {
    var text = Exposition()
    write(&text)
    return text.text.split(separator: "\n")
  }

  @Test("calls are counted by method and status, with what they sent and received")
  func server() async throws {
    let metrics = ServerMetrics(loops: 1)
    try await withServer(
      { router in
        router.unary(Self.method) { request, _ in
          guard request.service.count == 3 else { throw RPCError(.notFound, "no") }
          return .init(service: String(repeating: "x", count: 2000))
        }
      }, options: ServerOptions(interceptors: [metrics])
    ) { (channel, _) async throws -> Void in
      for service in ["abc", "abc", "abcd"] { _ = try? await channel.unary(Self.method, .init(service: service)) }
      // Counted when a call ends, on the loop; what the client has seen the end of is there.
      let lines = text(metrics.write)
      #expect(lines.contains(#"grpc_server_call_started_total{grpc_method="a.B/C"} 3"#))
      #expect(
        lines.contains(#"grpc_server_call_duration_seconds_count{grpc_method="a.B/C",grpc_status="OK"} 2"#))
      #expect(
        lines.contains(#"grpc_server_call_duration_seconds_count{grpc_method="a.B/C",grpc_status="NOT_FOUND"} 1"#))
      let sent = "grpc_server_call_sent_total_compressed_message_size_bytes"
      #expect(lines.contains(#"\#(sent)_sum{grpc_method="a.B/C",grpc_status="OK"} 4006"#))
      #expect(lines.contains(#"\#(sent)_bucket{grpc_method="a.B/C",grpc_status="OK",le="1024"} 0"#))
      #expect(lines.contains(#"\#(sent)_bucket{grpc_method="a.B/C",grpc_status="OK",le="2048"} 2"#))
      #expect(lines.contains(#"\#(sent)_sum{grpc_method="a.B/C",grpc_status="NOT_FOUND"} 0"#))
      let received = "grpc_server_call_rcvd_total_compressed_message_size_bytes"
      #expect(lines.contains(#"\#(received)_sum{grpc_method="a.B/C",grpc_status="OK"} 10"#))
    }
  }

  @Test("methods that a client makes up are one: other")
  func cardinality() async throws {
    let metrics = ServerMetrics(loops: 1)
    try await withServer({ _ in }, options: ServerOptions(interceptors: [metrics])) {
      (channel, _) async throws -> Void in
      for number in 0..<50 {
        let made = MethodDescriptor<Grpc.Health.V1.HealthCheckRequest, Grpc.Health.V1.HealthCheckRequest>(
          service: "made.Up\(number)", method: "M", type: .unary)
        _ = try? await channel.unary(made, .init())
      }
      let lines = text(metrics.write)
      #expect(lines.contains(#"grpc_server_call_started_total{grpc_method="other"} 50"#))
      #expect(lines.filter { $0.hasPrefix("grpc_server_call_started_total") }.count == 1)
      #expect(!lines.contains { $0.contains("made") })
    }
  }

  @Test("calls of a channel are counted with their target, attempts apart")
  func client() async throws {
    let metrics = ClientMetrics(loops: 1)
    try await withServer({ router in router.unary(Self.method) { request, _ in request } }) {
      (channel, _) async throws -> Void in
      let group = try EventLoopGroup(loops: 1)
      var options = ChannelOptions()
      options.interceptors = [metrics]
      let watched = Channel(target: channel.target, group: group, options: options)
      for _ in 0..<2 { _ = try await watched.unary(Self.method, .init(service: "abc")) }
      watched.shutdown()
      group.stop()
      let labels = #"{grpc_method="a.B/C",grpc_target="\#(channel.target)""#
      let lines = text(metrics.write)
      #expect(lines.contains(#"grpc_client_attempt_started_total\#(labels)} 2"#))
      #expect(lines.contains(#"grpc_client_attempt_duration_seconds_count\#(labels),grpc_status="OK"} 2"#))
      #expect(lines.contains(#"grpc_client_call_duration_seconds_count\#(labels),grpc_status="OK"} 2"#))
      let size = "total_compressed_message_size_bytes_sum"
      #expect(lines.contains(#"grpc_client_attempt_sent_\#(size)\#(labels),grpc_status="OK"} 10"#))
      #expect(lines.contains(#"grpc_client_attempt_rcvd_\#(size)\#(labels),grpc_status="OK"} 10"#))
    }
  }

  @Test("methods and targets beyond the limit are other")
  func clientLimit() throws {
    let metrics = ClientMetrics(loops: 1, limit: 3)
    for number in 0..<10 {
      metrics.interceptor(forPath: "/a.B/M\(number)", target: Target(.unix(path: "/s")))?.attemptStarted(loopIndex: 0)
    }
    let lines = text(metrics.write).filter { $0.hasPrefix("grpc_client_attempt_started_total") }
    #expect(lines.count == 4)
    #expect(lines.contains(#"grpc_client_attempt_started_total{grpc_method="other",grpc_target="other"} 7"#))
  }

  @Test("what all loops have counted is added up")
  func loops() {
    let counters = CallCounters(loops: 3)
    for loop in 0..<3 {
      counters.started(loopIndex: loop)
      counters.ended(.ok, nanoseconds: 1_000_000, messages: nil, loopIndex: loop)
    }
    #expect(counters.startedCount == 3)
    let totals = counters.totals()
    #expect(totals.map(\.code) == [.ok])
    #expect(totals.first?.totals.nanoseconds == 3_000_000)
    #expect(totals.first?.totals.durations.reduce(0, +) == 3)
  }
}
