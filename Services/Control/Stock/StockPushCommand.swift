import Messages
import Stubs

/// `omsctl stock push SKU…`
struct StockPushCommand: Command {
  static let path = ["stock", "push"]
  static let arguments = "[SKU…]"
  static let summary = "sends stock to the shop anew, changed or not"
  static let details = """
    SKU…            up to 1 000 SKUs, of all aggregates
    --aggregate ID  everything of one aggregate instead

    It returns at once; omsctl aggregates shows how far it is.

    """
  static let options: Set<String> = ["aggregate"]

  private let request: Omsconnector.V1.PushStockRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    let aggregate = options["aggregate"] ?? ""
    guard words.isEmpty != aggregate.isEmpty else {
      throw UsageError("usage: omsctl stock push SKU…, or omsctl stock push --aggregate ID")
    }
    request = .init(skus: words, aggregateId: aggregate)
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.InventoryServiceMethods.pushStock, request, options: session.options)
    switch session.format {
    case .json: session.console.print(response.json(writesDefaults: true) + "\n")
    case .table: session.console.print("\(response.pending) on the way to the shop\n")
    }
    return 0
  }
}
