import Messages
import ServiceKit
import Stubs

/// `omsctl report`
struct ReportCommand: Command {
  static let path = ["report"]
  static let arguments = "[--kind bus|grpc] [--since TIME]"
  static let summary = "shows how long the endpoints of all services take"
  static let details = """
    --kind bus    only messages of the service bus
    --kind grpc   only gRPC methods
    --since TIME  only hours that ended after it: 90m, 24h, 7d, or 2024-02-03T04:05:06Z

    Of the gateway, bus methods are messages for the OMS: how long it took to answer each try. Percentiles are at most 3.2 %
    too high. -o json has the history by hour as well, in milliseconds. Failed calls are counted in both columns. The last
    seconds of a replica that was killed may be missing.

    """
  static let options: Set<String> = ["kind", "since"]

  private let request: Omsconnector.V1.GetTimingReportRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
    request = .init(
      kind: try Self.kind(options["kind"]),
      since: try options["since"].map { (text) throws(UsageError) in try SinceOption.parse(text) })
  }

  private static func kind(_ text: String?) throws(UsageError) -> Omsconnector.V1.EndpointKind {
    switch text {
    case nil: return .unspecified
    case "bus": return .busMethod
    case "grpc": return .grpcMethod
    case let text?: throw UsageError("--kind: \"\(text)\" is not bus or grpc")
    }
  }

  func run(in session: Session) async throws -> Int32 {
    let report = try await session.channel.unary(
      Omsconnector.V1.ReportServiceMethods.getTimingReport, request, options: session.options)
    switch session.format {
    case .json: session.console.print(report.json(writesDefaults: true) + "\n")
    case .table: show(report, session.console)
    }
    return 0
  }

  private func show(_ report: Omsconnector.V1.GetTimingReportResponse, _ console: Console) {
    // The endpoint last: where the terminal is too narrow, only its end goes to the next line.
    var table = Table(
      .left("SERVICE"), .left("KIND"), .right("COUNT"), .right("FAILED"), .right("AVG"), .right("P50"), .right("P95"),
      .right("P99"), .right("MAX"), .left("ENDPOINT"))
    for endpoint in report.endpoints {
      let times = [endpoint.averageMs, endpoint.p50Ms, endpoint.p95Ms, endpoint.p99Ms, endpoint.maxMs]
      let counts = [String(endpoint.count), String(endpoint.failures)]
      table.add(
        [endpoint.service, kindText(endpoint.kind)] + counts + times.map(Milliseconds.format) + [endpoint.endpoint])
    }
    console.print(table)
    guard !report.missingReplicas.isEmpty else { return }
    let missing = DisplayText.withoutControls(report.missingReplicas.joined(separator: ", "))
    console.complain("without the newest calls of replicas that do not answer: \(missing)")
  }

  private func kindText(_ kind: Omsconnector.V1.EndpointKind) -> String {
    switch kind {
    case .busMethod: "bus"
    case .grpcMethod: "grpc"
    default: "\(kind)"
    }
  }
}
