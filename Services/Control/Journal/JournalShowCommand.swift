import Messages

/// `omsctl journal show ID`
struct JournalShowCommand: Command {
  static let path = ["journal", "show"]
  static let arguments = "ID"
  static let summary = "shows one message: what became of it, every try, and what is in it"
  static let details = """
    ID is the number in journal list. Secrets, card data, gift-card codes and bank accounts are masked, and what is long is
    cut; the gateway keeps the exact bytes.

    """

  private let id: Int64

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    id = try NumberOption.messageID(words[0])
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.JournalServiceMethods.getMessage, .init(id: id), options: session.options)
    guard session.format == .table else {
      session.console.print(response.json(writesDefaults: true) + "\n")
      return 0
    }
    let message = response.message ?? .init()
    session.console.print(MessageTable.details(message))
    if let attempts = MessageTable.attempts(message) {
      session.console.print("\n")
      session.console.print(attempts)
    }
    Self.show("BODY", message.body + (message.bodyCut ? " …" : ""), session.console)
    Self.show("ANSWER", message.result, session.console)
    return 0
  }

  /// What is in a message; nothing when that is nothing.
  static func show(_ title: String, _ text: String, _ console: Console) {
    guard !text.isEmpty else { return }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      DisplayText.withoutControls(String($0))
    }
    console.print("\n\(title)\n\(lines.joined(separator: "\n"))\n")
  }
}
