import Messages
import Stubs

/// `omsctl aggregates`
struct AggregatesCommand: Command {
  static let path = ["aggregates"]
  static let summary = "shows the aggregates: where their stock goes, and how much is on its way"

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.InventoryServiceMethods.listAggregates, .init(), options: session.options)
    switch session.format {
    case .json: session.console.print(response.json(writesDefaults: true) + "\n")
    case .table:
      session.console.print(Self.table(response.aggregates))
      for one in response.aggregates where one.website.isEmpty {
        session.console.complain(
          "\(DisplayText.withoutControls(one.aggregateId)) goes nowhere: the mapping file names no website for it")
      }
      for one in response.aggregates where !one.lastError.isEmpty {
        session.console.complain(DisplayText.withoutControls("\(one.aggregateId): \(one.lastError)"))
      }
    }
    return 0
  }

  private static func table(_ aggregates: [Omsconnector.V1.Aggregate]) -> Table {
    var table = Table(
      .left("AGGREGATE"), .left("WEBSITE"), .left("SOURCE"), .right("SKUS"), .right("PENDING"), .right("FAILED"),
      .right("PUSHED"))
    for one in aggregates {
      table.add(
        one.aggregateId, one.website, one.sourceCode, String(one.skus), String(one.pending), String(one.failed),
        Age.text(one.lastPushedAt))
    }
    return table
  }
}
