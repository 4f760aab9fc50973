import Messages
import ServiceKit
import Stubs

/// `omsctl sources`
struct SourcesCommand: Command {
  static let path = ["sources"]
  static let summary = "shows the OMS's sources, as it last told them"

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
  }

  func run(in session: Session) async throws -> Int32 {
    let (sources, _) = try await PageTokens.collect(of: "the service") { size, token in
      let page = try await session.channel.unary(
        Omsconnector.V1.InventoryServiceMethods.listSources, .init(pageSize: size, pageToken: token),
        options: session.options)
      return (page.sources, page.nextPageToken)
    }
    session.show(Omsconnector.V1.ListSourcesResponse(sources: sources), as: Self.table(sources))
    return 0
  }

  private static func table(_ sources: [Omsconnector.V1.Source]) -> Table {
    var table = Table(
      .left("SOURCE"), .left("NAME"), .left("TYPE"), .left("STATE"), .left("RETURNS"), .left("AGGREGATES"))
    for source in sources {
      table.add(
        source.sourceId, source.name, source.type, source.deleted ? "deleted" : source.active ? "active" : "inactive",
        source.acceptsReturns ? "yes" : "no", source.aggregateIds.joined(separator: " "))
    }
    return table
  }
}
