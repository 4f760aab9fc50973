import Messages
import Stubs

/// `omsctl stock reset-timestamp AGGREGATE SKU`
struct StockResetTimestampCommand: Command {
  static let path = ["stock", "reset-timestamp"]
  static let arguments = "AGGREGATE SKU"
  static let summary = "lets the next message set a SKU, whatever its time"
  static let details = """
    The repair of a SKU that a message from the future has frozen: what comes is older than what is there, and is discarded.
    The quantity stays as it is until then.

    """

  private let aggregate: String
  private let sku: String

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(2, words)
    (aggregate, sku) = (words[0], words[1])
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.InventoryServiceMethods.resetStockTimestamp, .init(aggregateId: aggregate, sku: sku),
      options: session.options)
    session.show(response, as: StockTable.of([response.stock ?? .init()]))
    return 0
  }
}
