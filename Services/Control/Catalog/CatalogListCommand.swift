import Messages
import ServiceKit
import Stubs

/// `omsctl catalog list [--limit N]`
struct CatalogListCommand: Command {
  static let path = ["catalog", "list"]
  static let arguments = "[--limit N]"
  static let summary = "shows the products that the OMS was told of, all of them or the first N"
  static let options: Set<String> = ["limit"]

  /// The most that the service gives at once.
  private static let pageSize = 1000

  private let limit: Int

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
    limit = try NumberOption.parse(options["limit"], option: "limit", default: .max)
  }

  func run(in session: Session) async throws -> Int32 {
    var printer = ProductListPrinter(session: session)
    var tokens = PageTokens()
    var remaining = limit
    repeat {
      let page = try await session.channel.unary(
        Omsconnector.V1.CatalogServiceMethods.listProducts,
        .init(pageSize: Int32(min(remaining, Self.pageSize)), pageToken: tokens.next), options: session.options)
      try tokens.advance(to: page.nextPageToken, of: "the service")
      remaining -= page.products.count
      printer.add(page.products)
    } while !tokens.isAtEnd && remaining > 0 && !session.console.isClosed
    printer.finish(nextPageToken: tokens.next)
    return 0
  }
}

/// Prints a list page by page, so that a whole catalog is never in memory: one table whose columns only ever widen, or one
/// ListProductsResponse.
private struct ProductListPrinter {
  let session: Session
  private var widths: [Int]?
  private var isEmpty = true

  init(session: Session) { self.session = session }

  mutating func add(_ products: [Omsconnector.V1.Product]) {
    switch session.format {
    case .json:
      for product in products {
        session.console.print((isEmpty ? "{\"products\":[" : ",\n") + product.json(writesDefaults: true))
        isEmpty = false
      }
    case .table:
      let table = ProductTable.of(products)
      session.console.print(
        table.render(bold: session.console.isTerminal, heading: widths == nil, minimumWidths: widths ?? []))
      widths = table.widths(atLeast: widths ?? [])
      isEmpty = isEmpty && products.isEmpty
    }
  }

  func finish(nextPageToken: String) {
    switch session.format {
    case .json:
      session.console.print(
        (isEmpty ? "{\"products\":[" : "") + "],\"next_page_token\":\(JSONText.quoted(nextPageToken))}\n")
    case .table:
      if isEmpty {
        session.console.complain("no product is known yet; see omsctl doctor, or omsctl catalog export --full")
      }
      if !nextPageToken.isEmpty { session.console.complain("there are more; raise --limit to see them") }
    }
  }
}
