import Messages

/// `omsctl journal list`
struct JournalListCommand: Command {
  static let path = ["journal", "list"]
  static let arguments = "[FILTER]"
  static let summary = "shows messages between the OMS and the connector, the newest first"
  static let details = """
    FILTER:
    \(MessageFilterOptions.help)  --limit N           messages at most; default: 50

    """
  static let options = MessageFilterOptions.names.union(["limit"])

  private let filter: Omsconnector.V1.MessageFilter
  private let limit: Int

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
    filter = try MessageFilterOptions.parse(options)
    limit = try NumberOption.parse(options["limit"], option: "limit", default: 50)
  }

  func run(in session: Session) async throws -> Int32 {
    let list = try await Self.show(filter, limit, session)
    if list.count == 0, session.format == .table { session.console.complain("the journal has no such message") }
    return 0
  }

  /// - Returns: what was printed.
  static func show(
    _ filter: Omsconnector.V1.MessageFilter, _ limit: Int, _ session: Session
  ) async throws -> MessagePrinter {
    var pages = MessagePages(session: session, filter: filter)
    var printer = MessagePrinter(session: session)
    while !pages.isAtEnd, printer.count < limit, !session.console.isClosed {
      printer.add(try await pages.next(limit: limit - printer.count))
    }
    printer.finish()
    if !pages.isAtEnd { session.console.complain("there are more; raise --limit to see them") }
    return printer
  }
}
