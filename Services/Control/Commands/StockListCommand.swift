import Messages
import RPC
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
    guard let text = options["limit"] else {
      limit = .max
      return
    }
    guard let limit = Int(text), limit > 0 else {
      throw UsageError("--limit: \"\(text)\" is not a whole number above 0")
    }
    self.limit = limit
  }

  func run(in session: Session) async throws -> Int32 {
    var printer = StockListPrinter(session: session, aggregate: aggregate)
    var token = ""
    var remaining = limit
    repeat {
      let request = Omsconnector.V1.ListStockRequest(
        aggregateId: aggregate, pageSize: Int32(min(remaining, Self.pageSize)), pageToken: token)
      let page = try await session.channel.unary(
        Omsconnector.V1.InventoryServiceMethods.listStock, request, options: session.options)
      guard page.nextPageToken.isEmpty || page.nextPageToken != token else {
        throw RPCError(.internalError, "the service answers the same page again; the list above is not complete")
      }
      token = page.nextPageToken
      remaining -= page.stock.count
      printer.add(page.stock)
    } while !token.isEmpty && remaining > 0
    printer.finish(nextPageToken: token)
    return 0
  }
}
