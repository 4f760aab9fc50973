import Messages
import Stubs

/// `omsctl returns list [--attention] [--limit N]`
struct ReturnsListCommand: Command {
  static let path = ["returns", "list"]
  static let arguments = "[--attention] [--limit N]"
  static let summary = "shows returns, the newest first"
  static let details = """
    --attention  only those that somebody has to look at
    --limit N    returns at most; default: 50

    """
  static let options: Set<String> = ["limit"]
  static let flags: Set<String> = ["attention"]

  private let needsAttention: Bool
  private let limit: Int

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
    needsAttention = flags.contains("attention")
    limit = try NumberOption.parse(options["limit"], option: "limit", default: 50)
  }

  func run(in session: Session) async throws -> Int32 {
    var list = Omsconnector.V1.ListReturnsResponse()
    var tokens = PageTokens()
    repeat {
      let request = Omsconnector.V1.ListReturnsRequest(
        pageSize: Int32(min(limit - list.returns.count, 1_000)), pageToken: tokens.next, needsAttention: needsAttention)
      let page = try await session.channel.unary(
        Omsconnector.V1.PostSalesServiceMethods.listReturns, request, options: session.options)
      try tokens.advance(to: page.nextPageToken, of: "the service")
      list.returns += page.returns
    } while !tokens.isAtEnd && list.returns.count < limit
    list.nextPageToken = tokens.next
    switch session.format {
    case .json: session.console.print(list.json(writesDefaults: true) + "\n")
    case .table: session.console.print(ReturnTable.of(list.returns))
    }
    if !tokens.isAtEnd { session.console.complain("there are more; raise --limit to see them") }
    return 0
  }
}
