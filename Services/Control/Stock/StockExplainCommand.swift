import Messages
import ServiceKit
import Stubs

/// `omsctl stock explain AGGREGATE SKU`
struct StockExplainCommand: Command {
  static let path = ["stock", "explain"]
  static let arguments = "AGGREGATE SKU"
  static let summary = "tells what every message did to the stock of a SKU, and why"
  static let details = """
    --limit N  events at most, the newest first; default: 20

    Changes are kept for 60 days. What changed nothing (too old, the same, refused) is looked up in the journal, which takes
    a moment; messages of which the journal shows the beginning only can't be looked into.

    """
  static let options: Set<String> = ["limit"]

  private let aggregate: String
  private let sku: String
  private let limit: Int

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(2, words)
    (aggregate, sku) = (words[0], words[1])
    limit = try NumberOption.parse(options["limit"], option: "limit", default: 20)
  }

  let defaultTimeout = Duration.seconds(60)

  func run(in session: Session) async throws -> Int32 {
    var all = Omsconnector.V1.ExplainStockResponse()
    (all.events, all.nextPageToken) = try await PageTokens.collect(limit: limit, of: "the service") { size, token in
      let page = try await session.channel.unary(
        Omsconnector.V1.InventoryServiceMethods.explainStock,
        .init(aggregateId: aggregate, sku: sku, pageSize: size, pageToken: token), options: session.options)
      all.stock = page.stock ?? all.stock
      return (page.events, page.nextPageToken)
    }
    switch session.format {
    case .json: session.console.print(all.json(writesDefaults: true) + "\n")
    case .table:
      if let stock = all.stock { session.console.print(StockTable.of([stock])) }
      session.console.print("\n")
      session.console.print(StockEventTable.of(all.events))
      if all.events.isEmpty { session.console.complain("nothing has touched this SKU in this aggregate") }
      if !all.nextPageToken.isEmpty { session.console.complain("there is more; raise --limit to see it") }
    }
    return 0
  }
}

/// What messages did to a SKU, a line for each.
enum StockEventTable {
  static func of(_ events: [Omsconnector.V1.StockEvent]) -> Table {
    var table = Table(
      .left("WHEN"), .left("VERDICT"), .right("QUANTITY"), .left("MODE"), .right("JOURNAL"), .left("WHY"))
    for event in events {
      let isValue = event.verdict != .refused && event.verdict != .unspecified
      table.add(
        event.at?.text ?? "", EnumText.short(event.verdict, prefix: "STOCK_VERDICT_"),
        event.unlimited ? "unlimited" : isValue ? String(event.quantity) : "",
        event.at == nil ? "" : EnumText.short(event.mode, prefix: "SNAPSHOT_MODE_"),
        event.journalId == 0 ? "" : String(event.journalId), event.explanation)
    }
    return table
  }
}
