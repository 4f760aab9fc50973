import Messages
import Stubs

/// `omsctl queue`
struct QueueCommand: Command {
  static let path = ["queue"]
  static let arguments = "[DESTINATION] [--watch]"
  static let summary = "shows what waits for delivery: how much, since when, for whom and why"
  static let details = """
    DESTINATION  a service (inventory, …) or a way to the OMS (remote, delegate, events); default: all
    --keys N     keys to name for each, those with the oldest message first; default: 20
    --watch      again every two seconds, until it is interrupted

    STATE: delivering; away: the service or the OMS does not answer, and one message at a time finds out whether it does again;
    held: by somebody's will nothing is tried, as LAST ERROR says: the connector is disabled or unregistered, or has no OMS.

    A key's messages are delivered in order: its oldest one holds up the others. REASON says why that one waits: what keeps the
    destination, or what came of its last try. See journal show for all of its tries, and journal discard for giving it up.

    The last table is what services owe the OMS and the gateway does not have yet; what it refused of that is in outbox list.

    """
  static let completedArguments =
    StatusCommand.services.map(\.asked).filter { !$0.isEmpty } + ["remote", "delegate", "events"]
  static let options: Set<String> = ["keys"]
  static let flags: Set<String> = ["watch"]
  private static let interval = Duration.seconds(2)

  private let request: Omsconnector.V1.GetQueuesRequest
  private let watches: Bool

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    if !words.isEmpty { try Self.expect(1, words) }
    let keys = try NumberOption.parse(options["keys"], option: "keys", default: 20)
    request = .init(destination: words.first ?? "", keys: Int32(clamping: keys))
    watches = flags.contains("watch")
  }

  func run(in session: Session) async throws -> Int32 {
    repeat {
      let response = try await session.channel.unary(
        Omsconnector.V1.JournalServiceMethods.getQueues, request, options: session.options)
      if watches, session.console.isTerminal { session.console.print("\u{1B}[H\u{1B}[2J") }
      switch session.format {
      case .json: session.console.print(response.json(writesDefaults: true) + "\n")
      case .table: show(response, session.console)
      }
      if watches { try await Task.sleep(for: Self.interval) }
    } while watches && !session.console.isClosed
    return 0
  }

  private func show(_ response: Omsconnector.V1.GetQueuesResponse, _ console: Console) {
    console.print(QueueTable.destinations(response.queues))
    for table in [QueueTable.keys(response.queues), QueueTable.outboxes(response.outboxes)].compactMap(\.self) {
      console.print("\n")
      console.print(table)
    }
    if watches, !console.isTerminal { console.print("\n") }
  }
}
