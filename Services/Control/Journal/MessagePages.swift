import Messages
import ServiceKit
import Stubs

/// The messages that a filter finds, page by page, so that a long list is never in memory.
struct MessagePages {
  /// The most that the gateway gives at once.
  static let pageSize = 1000

  let session: Session
  let filter: Omsconnector.V1.MessageFilter
  private var tokens = PageTokens()
  var isAtEnd: Bool { tokens.isAtEnd }

  init(session: Session, filter: Omsconnector.V1.MessageFilter) {
    self.session = session
    self.filter = filter
  }

  /// At most `limit`; none may be found before the end.
  mutating func next(limit: Int) async throws -> [Omsconnector.V1.JournalMessage] {
    let request = Omsconnector.V1.ListMessagesRequest(
      filter: filter, pageSize: Int32(min(limit, Self.pageSize)), pageToken: tokens.next)
    let page = try await session.channel.unary(
      Omsconnector.V1.JournalServiceMethods.listMessages, request, options: session.options)
    try tokens.advance(to: page.nextPageToken, of: "the gateway")
    return page.messages
  }
}

/// Prints messages as they come: one table whose columns only ever widen, or JSON.
struct MessagePrinter {
  let session: Session
  private var widths: [Int]?
  private(set) var count = 0

  init(session: Session) { self.session = session }

  mutating func add(_ messages: [Omsconnector.V1.JournalMessage]) {
    switch session.format {
    case .json:
      for message in messages {
        session.console.print((count == 0 ? "{\"messages\":[" : ",\n") + message.json(writesDefaults: true))
        count += 1
      }
    case .table:
      guard !messages.isEmpty else { return }
      let table = MessageTable.of(messages)
      session.console.print(
        table.render(bold: session.console.isTerminal, heading: widths == nil, minimumWidths: widths ?? []))
      widths = table.widths(atLeast: widths ?? [])
      count += messages.count
    }
  }

  func finish() {
    if session.format == .json { session.console.print((count == 0 ? "{\"messages\":[" : "") + "]}\n") }
  }
}
