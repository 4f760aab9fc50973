import Messages
import Stubs

/// `omsctl sources`
struct SourcesCommand: Command {
  static let path = ["sources"]
  static let summary = "shows the OMS's sources, as it last told them"

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
  }

  func run(in session: Session) async throws -> Int32 {
    var all = Omsconnector.V1.ListSourcesResponse()
    var tokens = PageTokens()
    repeat {
      let page = try await session.channel.unary(
        Omsconnector.V1.InventoryServiceMethods.listSources, .init(pageSize: 1_000, pageToken: tokens.next),
        options: session.options)
      try tokens.advance(to: page.nextPageToken, of: "the service")
      all.sources += page.sources
    } while !tokens.isAtEnd
    switch session.format {
    case .json: session.console.print(all.json(writesDefaults: true) + "\n")
    case .table:
      var table = Table(
        .left("SOURCE"), .left("NAME"), .left("TYPE"), .left("STATE"), .left("RETURNS"), .left("AGGREGATES"))
      for source in all.sources {
        table.add(
          source.sourceId, source.name, source.type, source.deleted ? "deleted" : source.active ? "active" : "inactive",
          source.acceptsReturns ? "yes" : "no", source.aggregateIds.joined(separator: " "))
      }
      session.console.print(table)
    }
    return 0
  }
}
