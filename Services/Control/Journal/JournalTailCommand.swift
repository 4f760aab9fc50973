import Messages
import RPC
import Stubs

/// `omsctl journal tail`
struct JournalTailCommand: Command {
  static let path = ["journal", "tail"]
  static let arguments = "[FILTER]"
  static let summary = "shows the last messages and those that come, until it is interrupted"
  static let details = """
    FILTER:
    \(MessageFilterOptions.help)  --limit N           of the last messages, to begin with; default: 10

    A message is shown when it comes and, if it waits then, once more when it has ended, up to \(MessageWatch.limit) at a time. While the
    gateway is away it is waited for. -o json prints one message a line.

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
    var watch = MessageWatch(filter)
    var place = try await newest(session)
    let last = try await recent(filter, limit, session)
    _ = watch.came(try await recent(waitingOnes, MessageWatch.limit, session))
    printer.add(last)
    place = max(place, last.last?.id ?? 0)
    var isAway = false
    while !session.console.isClosed {
      do {
        try await addEnded(&watch, &printer, session)
        let isComplete = try await add(behind: &place, &watch, &printer, session)
        if isAway { session.console.complain("the gateway is back") }
        isAway = false
        if !isComplete { continue }
      } catch let error as RPCError where error.code == .unavailable {
        if !isAway { session.console.complain("the gateway is away; waiting for it") }
        isAway = true
      }
      try await Task.sleep(for: Self.interval)
    }
    return 0
  }

  /// The filter without its status: what waits comes to another one.
  private var everyStatus: Omsconnector.V1.MessageFilter {
    var filter = filter
    filter.statuses = []
    return filter
  }

  private var waitingOnes: Omsconnector.V1.MessageFilter {
    var filter = filter
    filter.statuses = [.pending]
    return filter
  }

  /// The last messages that a filter finds, the oldest first.
  private func recent(
    _ filter: Omsconnector.V1.MessageFilter, _ limit: Int, _ session: Session
  ) async throws -> [Omsconnector.V1.JournalMessage] {
    var pages = MessagePages(session: session, filter: filter)
    var last: [Omsconnector.V1.JournalMessage] = []
    while !pages.isAtEnd, last.count < limit { last += try await pages.next(limit: limit - last.count) }
    return last.reversed()
  }

  /// - Returns: whether that is all for now.
  private func add(
    behind place: inout Int64, _ watch: inout MessageWatch, _ printer: inout LinePrinter, _ session: Session
  ) async throws -> Bool {
    // Whatever the filter finds, what comes next is behind the newest message of all, so that none is searched twice.
    let newest = try await newest(session)
    let page = try await page(behind: place, session)
    printer.add(watch.came(page.messages))
    let isComplete = page.nextPageToken.isEmpty
    place = max(place, page.messages.last?.id ?? 0, isComplete ? newest : 0)
    return isComplete
  }

  /// Those that waited and do not any more.
  private func addEnded(_ watch: inout MessageWatch, _ printer: inout LinePrinter, _ session: Session) async throws {
    for id in watch.waiting {
      let message = try await message(id, session)
      if watch.lookedAgain(id, message), let message { printer.add([message]) }
    }
  }

  /// As in a list; nil when it is not in the journal any more.
  private func message(_ id: Int64, _ session: Session) async throws -> Omsconnector.V1.JournalMessage? {
    do {
      let response = try await session.channel.unary(
        Omsconnector.V1.JournalServiceMethods.getMessage, .init(id: id), options: session.options)
      guard var message = response.message else { return nil }
      (message.attempts, message.body, message.bodyCut, message.result) = ([], "", false, "")
      return message
    } catch let error as RPCError where error.code == .notFound {
      return nil
    }
  }

  private func newest(_ session: Session) async throws -> Int64 {
    try await list(.init(pageSize: 1), session).messages.first?.id ?? 0
  }

  /// The oldest first. Behind 0 there would be the newest first: then nothing was there yet.
  private func page(
    behind place: Int64, _ session: Session
  ) async throws -> Omsconnector.V1.ListMessagesResponse {
    if place > 0 { return try await list(.init(filter: everyStatus, pageSize: 1000, afterId: place), session) }
    var page = try await list(.init(filter: everyStatus, pageSize: 1000), session)
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
