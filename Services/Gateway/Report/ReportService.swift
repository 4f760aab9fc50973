import Messages
import RPC
import ServiceKit
import Stubs

/// `omsconnector.v1.ReportService`.
struct ReportService: Omsconnector.V1.ReportService {
  let collector: TimingCollector

  func getTimingReport(
    _ request: Omsconnector.V1.GetTimingReportRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetTimingReportResponse {
    let kind = Timings.Kind(rawValue: request.kind.rawValue)
    guard kind != nil || request.kind == .unspecified else {
      throw RPCError.invalid(
        field: "kind",
        "kind \(request.kind) is not one of "
          + Omsconnector.V1.EndpointKind.valueNames.map { "\($0.name)" }.joined(separator: ", "))
    }
    return await collector.report(kind: kind, since: try request.since.map(Self.time))
  }

  /// What fits nanoseconds is more than any report covers.
  static func time(_ timestamp: Google.Protobuf.Timestamp) throws(RPCError) -> WallTime {
    guard let time = WallTime(timestamp) else {
      let given = "\(timestamp.seconds) s and \(timestamp.nanos) ns"
      throw RPCError.invalid(field: "since", "since: \(given) is not a moment between the years 1678 and 2261")
    }
    return time
  }
}
