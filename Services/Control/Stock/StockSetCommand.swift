import Messages
import Stubs

/// `omsctl stock set AGGREGATE SKU QUANTITY`
struct StockSetCommand: Command {
  static let path = ["stock", "set"]
  static let arguments = "AGGREGATE SKU QUANTITY"
  static let summary = "sets the stock of a SKU; in developer mode only: the OMS owns stock"
  static let details = """
    It counts as a DELTA of now. The inventory service takes it only when it runs with INVENTORY_DEVELOPER_MODE=true.

    """

  private let request: Omsconnector.V1.SetStockRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(3, words)
    guard let quantity = Int64(words[2]), quantity >= 0 else {
      throw UsageError("quantity \"\(words[2])\" is not a whole number from 0")
    }
    request = .init(aggregateId: words[0], sku: words[1], quantity: quantity)
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.InventoryServiceMethods.setStock, request, options: session.options)
    session.show(response, as: StockTable.of([response.stock ?? .init()]))
    return 0
  }
}
