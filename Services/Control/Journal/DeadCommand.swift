import Messages

/// `omsctl dead`
struct DeadCommand: Command {
  static let path = ["dead"]
  static let arguments = "[FILTER]"
  static let summary = "shows the messages that were given up, and how to repair them"
  static let details = """
    DEAD: the OMS did not take the message. ERROR: no service could consume it, or a call to the OMS failed, which whoever made
    it knows: it cannot be replayed, only discarded.

    FILTER:
    \(MessageFilterOptions.help)  --limit N           messages at most; default: 50

    """
  static let options = MessageFilterOptions.names.union(["limit"])

  private let filter: Omsconnector.V1.MessageFilter
  private let limit: Int

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
    var filter = try MessageFilterOptions.parse(options)
    if filter.statuses.isEmpty { filter.statuses = [.error, .dead] }
    self.filter = filter
    limit = try NumberOption.parse(options["limit"], option: "limit", default: 50)
  }

  func run(in session: Session) async throws -> Int32 {
    let list = try await JournalListCommand.show(filter, limit, session)
    guard session.format == .table else { return 0 }
    session.console.complain(list.count == 0 ? "no such message was given up" : Self.hints)
    return 0
  }

  private static let hints = """

    why:                 omsctl journal show ID
    deliver again:       omsctl journal replay ID, or a filter such as --key KEY or --since 24h; --dry-run first
    count as dealt with: omsctl journal discard ID --reason TEXT, or a filter; replay brings it back
    """
}
