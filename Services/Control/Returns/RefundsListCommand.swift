import Messages
import ServiceKit
import Stubs

/// `omsctl refunds list [--stuck | --open] [--limit N]`
struct RefundsListCommand: Command {
  static let path = ["refunds", "list"]
  static let arguments = "[--stuck | --open] [--limit N]"
  static let summary = "shows refunds of the OMS and what the shop made of them, newest first"
  static let details = """
    --stuck    only those that somebody has to look at
    --open     only those that are neither done nor stuck
    --limit N  refunds at most; default: 50

    """
  static let options: Set<String> = ["limit"]
  static let flags: Set<String> = ["stuck", "open"]

  private let states: [Omsconnector.V1.RefundState]
  private let limit: Int

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
    guard !flags.isSuperset(of: ["stuck", "open"]) else {
      throw UsageError("refunds list takes --stuck or --open, not both")
    }
    states = flags.contains("stuck") ? [.stuck] : flags.contains("open") ? [.pending, .due] : []
    limit = try NumberOption.parse(options["limit"], option: "limit", default: 50)
  }

  func run(in session: Session) async throws -> Int32 {
    let (refunds, next) = try await PageTokens.collect(limit: limit, of: "the service") { size, token in
      let page = try await session.channel.unary(
        Omsconnector.V1.PostSalesServiceMethods.listRefunds, .init(pageSize: size, pageToken: token, states: states),
        options: session.options)
      return (page.refunds, page.nextPageToken)
    }
    let list = Omsconnector.V1.ListRefundsResponse(refunds: refunds, nextPageToken: next)
    session.show(list, as: RefundTable.of(refunds))
    session.complainOfMore(behind: next)
    return 0
  }
}
