import Messages
import Stubs

/// `omsctl outbox retry DELIVERY-ID | --service NAME`
struct OutboxRetryCommand: Command {
  static let path = ["outbox", "retry"]
  static let arguments = "DELIVERY-ID | --service NAME"
  static let summary = "hands over again what the gateway refused: one, or all of a service"
  static let details = """
    --service NAME  all that nobody has dealt with, the oldest first
    --by NAME       who asks; default: your user name

    Each gets a new delivery id, by which omsctl journal list --delivery-id finds it. It goes behind what its key has in the
    outbox by now. What the gateway refuses again is in omsctl outbox list again, with its new reason.

    """
  static let options: Set<String> = ["service", "by"]

  private let request: Omsconnector.V1.RetryRefusedMessagesRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    if let service = options["service"] {
      guard words.isEmpty else { throw UsageError("outbox retry takes a DELIVERY-ID or --service, not both") }
      guard !service.isEmpty else { throw UsageError("--service: \"\" is no service") }
    } else {
      try Self.expect(1, words)
    }
    request = .init(
      deliveryId: words.first ?? "", service: options["service"] ?? "", retriedBy: options["by"] ?? UserName.current)
  }

  let defaultTimeout = Duration.seconds(600)

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.OutboxServiceMethods.retryRefusedMessages, request, options: session.options)
    switch session.format {
    case .json: session.console.print(response.json(writesDefaults: true) + "\n")
    case .table:
      var table = Table(.right("RETRIED"), .left("NEW DELIVERY ID"))
      let isOne = response.retried == 1
      table.add(
        String(response.retried), isOne || response.retried == 0 ? response.deliveryId : "… \(response.deliveryId)")
      session.console.print(table)
    }
    return 0
  }
}
