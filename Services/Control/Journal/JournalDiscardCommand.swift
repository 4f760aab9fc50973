import Messages
import ServiceKit
import Stubs

/// `omsctl journal discard ID | FILTER --reason TEXT`
struct JournalDiscardCommand: Command {
  static let path = ["journal", "discard"]
  static let arguments = "ID | FILTER --reason TEXT"
  static let summary = "gives up a message, or all that a filter finds"
  static let details = """
    FILTER, one part of it at least; without --status, ERROR and DEAD:
    \(MessageFilterOptions.help)  --reason TEXT       why, for the journal
      --dry-run           only says what would be discarded
      --by NAME           who asks, for the journal; default: your user name

    What waits is not delivered any more, what went wrong counts as dealt with: PENDING, ERROR and DEAD messages are IGNORED then, and replay brings them back. One that is being delivered
    right now stays, and is named. The exit code is 1 when some could not be discarded.

    """
  static let options = MessageFilterOptions.names.union(["reason", "by"])
  static let flags: Set<String> = ["dry-run"]

  private let request: Omsconnector.V1.DiscardRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    var request = Omsconnector.V1.DiscardRequest(
      reason: options["reason"] ?? "", discardedBy: options["by"] ?? UserName.current,
      dryRun: flags.contains("dry-run"))
    if options.keys.contains(where: MessageFilterOptions.names.contains) {
      guard words.isEmpty else { throw UsageError("journal discard takes an ID or a filter, not both") }
      var filter = try MessageFilterOptions.parse(options)
      if filter.statuses.isEmpty { filter.statuses = [.error, .dead] }
      request.filter = filter
    } else {
      try Self.expect(1, words)
      request.id = try NumberOption.messageID(words[0])
    }
    guard request.dryRun || !request.reason.isEmpty else {
      throw UsageError("journal discard needs --reason TEXT: the journal keeps why")
    }
    self.request = request
  }

  func run(in session: Session) async throws -> Int32 {
    var whole = Omsconnector.V1.DiscardResponse()
    var tokens = PageTokens()
    do {
      repeat {
        var request = request
        request.pageToken = tokens.next
        let part = try await session.channel.unary(
          Omsconnector.V1.JournalServiceMethods.discard, request, options: session.options)
        try tokens.advance(to: part.nextPageToken, of: "the gateway")
        whole.message = part.message
        whole.matched += part.matched
        whole.discarded += part.discarded
        whole.notes += part.notes.prefix(Self.namedProblems - whole.notes.count)
      } while !tokens.isAtEnd
    } catch {
      if whole.discarded > 0, !request.dryRun {
        session.console.complain("\(whole.discarded) messages are discarded; the same command goes on with the others")
      }
      throw error
    }
    show(whole, session)
    return whole.discarded < whole.matched ? 1 : 0
  }

  /// Messages that could not be discarded, of a filter of any size.
  private static let namedProblems = 100

  private func show(_ answer: Omsconnector.V1.DiscardResponse, _ session: Session) {
    guard session.format == .table else {
      session.console.print(answer.json(writesDefaults: true) + "\n")
      return
    }
    if let message = answer.message, !request.dryRun {
      session.console.print(MessageTable.details(message))
    } else {
      var table = Table(.right("FOUND"), .right(request.dryRun ? "WOULD BE DISCARDED" : "DISCARDED"))
      table.add(String(answer.matched), String(answer.discarded))
      session.console.print(table)
    }
    for note in answer.notes { session.console.complain(DisplayText.withoutControls(note)) }
  }
}
