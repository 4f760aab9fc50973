import Messages
import RPC
import Stubs

/// `omsconnector.internal.v1.TimingService`: what this process has measured.
struct TimingService: Omsconnector.Internal.V1.TimingService {
  let service: String
  let timings: Timings
  /// Of this start: a random number, as a process id comes back.
  let instanceId = String(UInt64.random(in: .min ... .max), radix: 16)

  func getTimings(
    _ request: Omsconnector.Internal.V1.GetTimingsRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.GetTimingsResponse {
    .init(service: service, instanceId: instanceId, histograms: timings.snapshot())
  }
}
