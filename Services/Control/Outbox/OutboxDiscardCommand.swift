import Messages
import Stubs

/// `omsctl outbox discard DELIVERY-ID --reason TEXT`
struct OutboxDiscardCommand: Command {
  static let path = ["outbox", "discard"]
  static let arguments = "DELIVERY-ID --reason TEXT"
  static let summary = "gives up a message that the gateway refused"
  static let details = """
    --reason TEXT  why; it is kept with the message, which outbox list --all shows for 60 days
    --by NAME      who asks; default: your user name

    """
  static let options: Set<String> = ["reason", "by"]

  private let request: Omsconnector.V1.DiscardRefusedMessageRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    guard let reason = options["reason"], !reason.isEmpty else {
      throw UsageError("outbox discard needs --reason TEXT: it is kept with the message")
    }
    request = .init(deliveryId: words[0], reason: reason, discardedBy: options["by"] ?? UserName.current)
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.OutboxServiceMethods.discardRefusedMessage, request, options: session.options)
    session.show(response, as: RefusedTable.details(response.message ?? .init()))
    return 0
  }
}
