import Messages
import ServiceKit
import Stubs

/// `omsctl outbox list`
struct OutboxListCommand: Command {
  static let path = ["outbox", "list"]
  static let arguments = "[SERVICE]"
  static let summary = "shows what the gateway refused when a service handed it over"
  static let details = """
    SERVICE    only what this one owes the OMS; default: all
    --all      also what was retried or discarded since
    --limit N  messages at most; default: 50

    These messages are in no journal; they stay with their service for 60 days. How much waits for being handed over is in
    omsctl queue.

    """
  static let options: Set<String> = ["limit"]
  static let flags: Set<String> = ["all"]

  private var request: Omsconnector.V1.ListRefusedMessagesRequest
  private let limit: Int

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    if !words.isEmpty { try Self.expect(1, words) }
    request = .init(service: words.first ?? "", showHandled: flags.contains("all"))
    limit = try NumberOption.parse(options["limit"], option: "limit", default: 50)
  }

  func run(in session: Session) async throws -> Int32 {
    let list = try await collect(session)
    session.show(list, as: RefusedTable.of(list.messages))
    session.complainOfMore(behind: list.nextPageToken)
    for missing in list.missingServices {
      session.console.complain("not asked: \(DisplayText.withoutControls(missing))")
    }
    if session.format == .table, list.messages.contains(where: { $0.state == .open }) {
      session.console.print(
        """

        what is in it:    omsctl outbox show DELIVERY-ID
        hand over again:  omsctl outbox retry DELIVERY-ID, or --service NAME for all that it has
        give up for good: omsctl outbox discard DELIVERY-ID --reason TEXT

        """)
    }
    return list.missingServices.isEmpty ? 0 : 1
  }

  /// All pages as one.
  private func collect(_ session: Session) async throws -> Omsconnector.V1.ListRefusedMessagesResponse {
    var missing: [String] = []
    let (messages, next) = try await PageTokens.collect(
      limit: limit, pageSize: MessagePages.pageSize, of: "the gateway"
    ) { size, token in
      var request = request
      (request.pageSize, request.pageToken) = (size, token)
      let page = try await session.channel.unary(
        Omsconnector.V1.OutboxServiceMethods.listRefusedMessages, request, options: session.options)
      missing += page.missingServices.filter { !missing.contains($0) }
      return (page.messages, page.nextPageToken)
    }
    return .init(messages: messages, nextPageToken: next, missingServices: missing)
  }
}
