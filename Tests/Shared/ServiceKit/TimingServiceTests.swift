import Messages
import RPC
import Stubs
import Testing

@testable import ServiceKit

@Suite("TimingService")
struct TimingServiceTests {
  private typealias Message = Omsconnector.Internal.V1.EndpointHistogram

  @Test("a histogram arrives as it was sent", arguments: [[], [0], [1, 63, 64, 5000], [UInt64(1) << 40, 7]])
  func roundTrip(durations: [UInt64]) throws {
    var histogram = Histogram()
    for duration in durations { histogram.record(microseconds: duration, failed: duration == 7) }
    let bytes = histogram.message(kind: .grpcMethod, endpoint: "a.B/C").serialized()
    #expect(try Histogram(Message(serialized: bytes)) == histogram)
  }

  @Test(
    "a histogram that contradicts itself is refused, with the endpoint's name",
    arguments: [
      Message(endpoint: "e", count: 1, bucketIndexes: [1]),
      Message(endpoint: "e", count: 1, bucketIndexes: [896], bucketCounts: [1]),
      Message(endpoint: "e", count: 1, bucketIndexes: [1], bucketCounts: [2]),
      Message(endpoint: "e", count: 3, bucketIndexes: [1], bucketCounts: [2]),
      Message(endpoint: "e", count: 1, bucketIndexes: [1], bucketCounts: [-1]),
      Message(endpoint: "e", count: -1),
      Message(endpoint: "e", sumUs: -1),
      Message(endpoint: "e", count: .max, bucketIndexes: [1, 2], bucketCounts: [.max, .max]),
    ])
  private func refuses(message: Message) {
    let error = #expect(throws: HistogramError.self) { try Histogram(message) }
    #expect(error?.description.hasPrefix("e: ") == true)
  }

  @Test("calls are timed by method; health, reflection and the timings themselves are not")
  func observes() async throws {
    let timings = Timings()
    var options = ServerOptions()
    options.interceptors = [timings]
    let method = MethodDescriptor<Grpc.Health.V1.HealthCheckRequest, Grpc.Health.V1.HealthCheckResponse>(
      service: "a.B", method: "Fail", type: .unary)
    try await withServer(
      { router in
        HealthService(services: []).register(in: &router)
        TimingService(service: "x", timings: timings).register(in: &router)
        router.unary(method) { _, _ in throw RPCError(.notFound, "no") }
      }, options: options
    ) { (channel, _) async throws -> Void in
      _ = try await channel.unary(Grpc.Health.V1.HealthMethods.check, .init())
      for _ in 0..<3 { _ = try? await channel.unary(method, .init()) }
      let read = Omsconnector.Internal.V1.TimingServiceMethods.getTimings
      let first = try await channel.unary(read, .init())
      let second = try await channel.unary(read, .init())
      #expect(first.service == "x")
      #expect(first.instanceId == second.instanceId && !first.instanceId.isEmpty)
      #expect(second.histograms.map(\.endpoint) == ["a.B/Fail"])
      #expect(second.histograms.first?.kind == .grpcMethod)
      #expect(second.histograms.first?.count == 3)
      #expect(second.histograms.first?.failures == 3)
    }
  }
}
