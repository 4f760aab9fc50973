import Messages
import ServiceKit
import Stubs

/// `omsctl orders list`
struct OrdersListCommand: Command {
  static let path = ["orders", "list"]
  static let summary = "shows the shop's orders and how far they have come, the newest first"
  static let details = """
    --state S[,S…]  HELD (waits), SENT (not confirmed yet), ACCEPTED (the OMS has it), FAILED (the OMS refused
                    it), UNCONFIRMED (not confirmed in time) or FOREIGN (made by the OMS)
    --attention     only those that need somebody
    --limit N       orders at most; default: 50

    """
  static let options: Set<String> = ["state", "limit"]
  static let flags: Set<String> = ["attention"]
  static let states = ["HELD", "SENT", "ACCEPTED", "FAILED", "UNCONFIRMED", "FOREIGN"]

  private let request: Omsconnector.V1.ListOrdersRequest
  private let limit: Int

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
    limit = try NumberOption.parse(options["limit"], option: "limit", default: 50)
    request = .init(states: try Self.states(options["state"]), needsAttention: flags.contains("attention"))
  }

  func run(in session: Session) async throws -> Int32 {
    let (orders, next) = try await PageTokens.collect(limit: limit, of: "the sales service") { size, token in
      var request = request
      (request.pageSize, request.pageToken) = (size, token)
      let page = try await session.channel.unary(
        Omsconnector.V1.SalesServiceMethods.listOrders, request, options: session.options)
      return (page.orders, page.nextPageToken)
    }
    let list = Omsconnector.V1.ListOrdersResponse(orders: orders, nextPageToken: next)
    session.show(list, as: OrderTable.of(orders))
    session.complainOfMore(behind: next)
    return 0
  }

  private static func states(_ text: String?) throws(UsageError) -> [Omsconnector.V1.OrderExportState] {
    guard let text else { return [] }
    var found: [Omsconnector.V1.OrderExportState] = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      let number = Omsconnector.V1.OrderExportState.valueNames
        .first { "\($0.name)" == "ORDER_EXPORT_STATE_" + name.uppercased() }?.number
      guard let number, number != 0 else {
        throw UsageError("--state: \"\(name)\" is not one of \(states.joined(separator: ", "))")
      }
      found.append(.init(rawValue: number))
    }
    return found
  }
}
