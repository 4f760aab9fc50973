import Messages
import Stubs

/// `omsctl stock apply FILE`
struct StockApplyCommand: Command {
  static let path = ["stock", "apply"]
  static let arguments = "FILE"
  static let summary = "applies stock snapshots from a JSON file, or from standard input (-)"
  static let details = """
    FILE holds a snapshot, an array of snapshots, or one snapshot a line:

      {"aggregate_id": "EU-WEB", "mode": "FULL", "created_on": "2024-02-03T04:05:06Z",
       "stock": [{"sku": "MUG-BLUE", "quantity": 14}, {"sku": "EBOOK-1", "quantity": 0, "unlimited": true}]}

    mode is FULL, DELTA or NONZERO, which sets every SKU that it leaves out to 0. A snapshot has at most 10 000 rows;
    send more in several with the same created_on. Rows that could not be applied as they stand are named with the
    reason, the first 1 000 of them. Applying a file twice is harmless.

    """

  private let file: String

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    file = words[0]
  }

  let defaultTimeout = Duration.seconds(600)

  func run(in session: Session) async throws -> Int32 {
    let snapshots = try SnapshotFile(path: file)
    if snapshots.count == 1 {
      let response = try await session.channel.unary(
        Omsconnector.V1.InventoryServiceMethods.applyStockSnapshot, .init(snapshot: snapshots.snapshot(0)),
        options: session.options)
      show(response, AppliedStock(response), session)
    } else {
      let response = try await session.channel.clientStreaming(
        Omsconnector.V1.InventoryServiceMethods.streamStockSnapshots, options: session.options
      ) { requests in
        for index in 0..<snapshots.count { try await requests.send(.init(snapshot: snapshots.snapshot(index))) }
      }
      show(response, AppliedStock(response), session)
    }
    return 0
  }

  private func show(_ response: some Message, _ applied: AppliedStock, _ session: Session) {
    switch session.format {
    case .json: session.console.print(response.json(writesDefaults: true) + "\n")
    case .table: applied.tables.forEach { session.console.print($0) }
    }
  }
}
