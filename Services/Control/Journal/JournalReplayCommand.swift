import Messages
import RPC
import Stubs

/// `omsctl journal replay ID | FILTER`
struct JournalReplayCommand: Command {
  static let path = ["journal", "replay"]
  static let arguments = "ID | FILTER"
  static let summary = "delivers an ended message again, or all that a filter finds"
  static let details = """
    FILTER, one part of it at least; without --status, ERROR and DEAD:
    \(MessageFilterOptions.help)  --dry-run           only says what would be replayed
      --by NAME           who asks, for the journal; default: your user name

    The oldest come first. A message whose key has had later ones delivered comes out of order now, and is named. Messages that
    wait are left alone. What is replayed has its effect once more: a SUCCESS too. The exit code is 1 when some could not be
    replayed.

    """
  static let options = MessageFilterOptions.names.union(["by"])
  static let flags: Set<String> = ["dry-run"]

  private let request: Omsconnector.V1.ReplayRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    var request = Omsconnector.V1.ReplayRequest(
      dryRun: flags.contains("dry-run"), replayedBy: options["by"] ?? UserName.current)
    if options.keys.contains(where: MessageFilterOptions.names.contains) {
      guard words.isEmpty else { throw UsageError("journal replay takes an ID or a filter, not both") }
      var filter = try MessageFilterOptions.parse(options)
      if filter.statuses.isEmpty { filter.statuses = [.error, .dead] }
      request.filter = filter
    } else {
      try Self.expect(1, words)
      request.id = try NumberOption.messageID(words[0])
    }
    self.request = request
  }

  /// A long replay goes at the pace of the deliveries.
  let defaultTimeout = Duration.seconds(3600)

  func run(in session: Session) async throws -> Int32 {
    var bar = ProgressBar(session.console, unit: "messages")
    var last = Omsconnector.V1.ReplayResponse()
    do {
      let answers = try await session.channel.serverStreaming(
        Omsconnector.V1.JournalServiceMethods.replay, request, options: session.options)
      for try await answer in answers {
        last = answer
        bar.show(answer.matched, of: answer.total)
      }
    } catch {
      bar.end()
      // What has been marked in the journal since the last answer is not known here.
      if last.replayed > 0, !request.dryRun {
        session.console.complain(
          "\(last.replayed) messages or a few more are replayed, the oldest; journal list --json says of each by whom and "
            + "when (handled_by, handled_at)")
      }
      throw error
    }
    bar.end()
    show(last, session)
    return last.replayed < last.matched ? 1 : 0
  }

  private func show(_ answer: Omsconnector.V1.ReplayResponse, _ session: Session) {
    guard session.format == .table else {
      session.console.print(answer.json(writesDefaults: true) + "\n")
      return
    }
    var table = Table(
      .right("FOUND"), .right(request.dryRun ? "WOULD BE REPLAYED" : "REPLAYED"), .right("OUT OF ORDER"))
    table.add(String(answer.matched), String(answer.replayed), String(answer.outOfOrder))
    session.console.print(table)
    for note in answer.notes { session.console.complain(DisplayText.withoutControls(note)) }
  }
}
