import Messages
import ServiceKit
import Stubs

/// `omsctl stock list AGGREGATE [--limit N]`
struct StockListCommand: Command {
  static let path = ["stock", "list"]
  static let arguments = "AGGREGATE [--limit N]"
  static let summary = "shows the stock of an aggregate, all of it or the first N SKUs"
  static let options: Set<String> = ["limit"]

  /// The most that the service gives at once.
  private static let pageSize = 1000

  private let aggregate: String
  private let limit: Int

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    aggregate = words[0]
    limit = try NumberOption.parse(options["limit"], option: "limit", default: .max)
  }

  func run(in session: Session) async throws -> Int32 {
    var printer = StockListPrinter(session: session, aggregate: aggregate)
    var tokens = PageTokens()
    var remaining = limit
    repeat {
      let request = Omsconnector.V1.ListStockRequest(
        aggregateId: aggregate, pageSize: Int32(min(remaining, Self.pageSize)), pageToken: tokens.next)
      let page = try await session.channel.unary(
        Omsconnector.V1.InventoryServiceMethods.listStock, request, options: session.options)
      try tokens.advance(to: page.nextPageToken, of: "the service")
      remaining -= page.stock.count
      printer.add(page.stock)
    } while !tokens.isAtEnd && remaining > 0
    printer.finish(nextPageToken: tokens.next)
    return 0
  }
}
