import Messages
import Stubs

/// `omsctl outbox show DELIVERY-ID`
struct OutboxShowCommand: Command {
  static let path = ["outbox", "show"]
  static let arguments = "DELIVERY-ID"
  static let summary = "shows one message that the gateway refused, and what is in it"
  static let details = """
    DELIVERY-ID is the one in outbox list. Secrets, card data, gift-card codes and bank accounts are masked, and what is long is
    cut.

    """

  private let deliveryID: String

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    deliveryID = words[0]
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.OutboxServiceMethods.getRefusedMessage, .init(deliveryId: deliveryID), options: session.options)
    guard session.format == .table else {
      session.console.print(response.json(writesDefaults: true) + "\n")
      return 0
    }
    let message = response.message ?? .init()
    session.console.print(RefusedTable.details(message))
    JournalShowCommand.show("BODY", message.body + (message.bodyCut ? " …" : ""), session.console)
    return 0
  }
}
