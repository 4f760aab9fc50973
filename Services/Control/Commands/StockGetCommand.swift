import Messages
import Stubs

/// `omsctl stock get AGGREGATE SKU`
struct StockGetCommand: Command {
  static let path = ["stock", "get"]
  static let arguments = "AGGREGATE SKU"
  static let summary = "shows the stock of one SKU in one aggregate"

  private let aggregate: String
  private let sku: String

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(2, words)
    aggregate = words[0]
    sku = words[1]
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.InventoryServiceMethods.getStock, .init(aggregateId: aggregate, sku: sku),
      options: session.options)
    session.show(response, as: StockTable.of([response.stock ?? .init()]))
    return 0
  }
}
