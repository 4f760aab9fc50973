import Messages
import Stubs

/// `omsctl journal tail`
struct JournalTailCommand: Command {
  static let path = ["journal", "tail"]
  static let arguments = "[FILTER]"
  static let summary = "shows the last messages and those that come, until it is interrupted"
  static let details = """
    FILTER:
    \(MessageFilterOptions.help)  --limit N           of the last messages, to begin with; default: 10

    A message is shown once, with what has become of it by then. -o json prints one message a line.

    """
  static let options = MessageFilterOptions.names.union(["limit"])
  /// Between two looks.
  private static let interval = Duration.seconds(1)

  private let filter: Omsconnector.V1.MessageFilter
  private let limit: Int

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
    filter = try MessageFilterOptions.parse(options)
    limit = try NumberOption.parse(options["limit"], option: "limit", default: 10)
  }

  func run(in session: Session) async throws -> Int32 {
    var printer = LinePrinter(session: session)
    var place = try await newest(session)
    var pages = MessagePages(session: session, filter: filter)
    var last: [Omsconnector.V1.JournalMessage] = []
    while !pages.isAtEnd, last.count < limit { last += try await pages.next(limit: limit - last.count) }
    printer.add(last.reversed())
    place = max(place, last.first?.id ?? 0)
    while !session.console.isClosed {
      // Whatever the filter finds, what comes next is behind the newest message of all, so that none is searched twice.
      let newest = try await newest(session)
      let page = try await page(behind: place, session)
      printer.add(page.messages)
      let isComplete = page.nextPageToken.isEmpty
      place = max(place, page.messages.last?.id ?? 0, isComplete ? newest : 0)
      if isComplete { try await Task.sleep(for: Self.interval) }
    }
    return 0
  }

  private func newest(_ session: Session) async throws -> Int64 {
    try await list(.init(pageSize: 1), session).messages.first?.id ?? 0
  }

  /// The oldest first. Behind 0 there would be the newest first: then nothing was there yet.
  private func page(
    behind place: Int64, _ session: Session
  ) async throws -> Omsconnector.V1.ListMessagesResponse {
    if place > 0 { return try await list(.init(filter: filter, pageSize: 1000, afterId: place), session) }
    var page = try await list(.init(filter: filter, pageSize: 1000), session)
    page.messages.reverse()
    return page
  }

  private func list(
    _ request: Omsconnector.V1.ListMessagesRequest, _ session: Session
  ) async throws -> Omsconnector.V1.ListMessagesResponse {
    try await session.channel.unary(
      Omsconnector.V1.JournalServiceMethods.listMessages, request, options: session.options)
  }

  private struct LinePrinter {
    let session: Session
    private var table: MessagePrinter

    init(session: Session) {
      self.session = session
      table = MessagePrinter(session: session)
    }

    mutating func add(_ messages: [Omsconnector.V1.JournalMessage]) {
      switch session.format {
      case .table: table.add(messages)
      case .json: for message in messages { session.console.print(message.json(writesDefaults: true) + "\n") }
      }
    }
  }
}
