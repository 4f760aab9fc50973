import Messages

/// `omsctl journal discard ID --reason TEXT`
struct JournalDiscardCommand: Command {
  static let path = ["journal", "discard"]
  static let arguments = "ID --reason TEXT"
  static let summary = "gives a message up: it is not delivered any more, or counts as dealt with"
  static let details = """
    --reason TEXT  why, for the journal
    --by NAME      who asks, for the journal; default: your user name

    For messages that are PENDING, ERROR or DEAD; they are IGNORED then, and replay brings them back.

    """
  static let options: Set<String> = ["reason", "by"]

  private let request: Omsconnector.V1.DiscardRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    let id = try NumberOption.messageID(words[0])
    guard let reason = options["reason"], !reason.isEmpty else {
      throw UsageError("journal discard needs --reason TEXT: the journal keeps why")
    }
    request = .init(id: id, reason: reason, discardedBy: options["by"] ?? UserName.current)
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.JournalServiceMethods.discard, request, options: session.options)
    switch session.format {
    case .json: session.console.print(response.json(writesDefaults: true) + "\n")
    case .table: session.console.print(MessageTable.details(response.message ?? .init()))
    }
    return 0
  }
}
