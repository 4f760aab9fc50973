import Messages
import Stubs

/// `omsctl stock held [apply|drop ID]`
struct StockHeldCommand: Command {
  static let path = ["stock", "held"]
  static let arguments = "[apply|drop ID]"
  static let summary = "shows the stock snapshots that wait for you, or applies or drops one"
  static let details = """
    A snapshot waits when its created_on is more than ten minutes ahead: applied, it would hold off everything that comes
    before that time. apply takes it as of now.
    The zeroing of a NONZERO waits when more than a fifth of the SKUs would become 0. What it names is applied already;
    apply sets the others to 0, but for those that have been set anew since.

    """
  static let completedArguments = ["apply", "drop"]

  private let decision: Omsconnector.V1.DecideHeldSnapshotRequest?

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    if words.isEmpty {
      decision = nil
      return
    }
    try Self.expect(2, words)
    guard ["apply", "drop"].contains(words[0]) else {
      throw UsageError("\"\(words[0])\" is neither apply nor drop")
    }
    guard let id = Int64(words[1]), id > 0 else {
      throw UsageError("\"\(words[1])\" is no held snapshot's number; omsctl stock held shows them")
    }
    decision = .init(id: id, apply: words[0] == "apply")
  }

  func run(in session: Session) async throws -> Int32 {
    if let decision { return try await decide(decision, session) }
    var all = Omsconnector.V1.ListHeldSnapshotsResponse()
    var tokens = PageTokens()
    repeat {
      let page = try await session.channel.unary(
        Omsconnector.V1.InventoryServiceMethods.listHeldSnapshots, .init(pageSize: 1_000, pageToken: tokens.next),
        options: session.options)
      try tokens.advance(to: page.nextPageToken, of: "the service")
      all.heldSnapshots += page.heldSnapshots
    } while !tokens.isAtEnd
    switch session.format {
    case .json: session.console.print(all.json(writesDefaults: true) + "\n")
    case .table:
      session.console.print(Self.table(all.heldSnapshots))
      if !all.heldSnapshots.isEmpty { session.console.print("\ndecide: omsctl stock held apply ID, or drop ID\n") }
    }
    return 0
  }

  private func decide(_ decision: Omsconnector.V1.DecideHeldSnapshotRequest, _ session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.InventoryServiceMethods.decideHeldSnapshot, decision, options: session.options)
    switch session.format {
    case .json: session.console.print(response.json(writesDefaults: true) + "\n")
    case .table:
      guard let applied = response.applied else {
        session.console.print("dropped\n")
        return 0
      }
      AppliedStock(applied).tables.forEach { session.console.print($0) }
    }
    return 0
  }

  private static func table(_ held: [Omsconnector.V1.HeldSnapshot]) -> Table {
    var table = Table(
      .right("ID"), .left("AGGREGATE"), .left("MODE"), .left("CREATED ON"), .right("SKUS"), .right("ZEROS"),
      .right("WAITS"), .left("WHY"))
    for one in held {
      table.add(
        String(one.id), one.aggregateId, EnumText.short(one.mode, prefix: "SNAPSHOT_MODE_"), one.createdOn?.text ?? "",
        String(one.skus), String(one.zeros), Age.text(one.heldAt), one.explanation)
    }
    return table
  }
}
