import Messages
import ServiceKit
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
    let (returns, next) = try await PageTokens.collect(limit: limit, of: "the service") { size, token in
      let page = try await session.channel.unary(
        Omsconnector.V1.PostSalesServiceMethods.listReturns,
        .init(pageSize: size, pageToken: token, needsAttention: needsAttention), options: session.options)
      return (page.returns, page.nextPageToken)
    }
    let list = Omsconnector.V1.ListReturnsResponse(returns: returns, nextPageToken: next)
    session.show(list, as: ReturnTable.of(returns))
    session.complainOfMore(behind: next)
    return 0
  }
}
