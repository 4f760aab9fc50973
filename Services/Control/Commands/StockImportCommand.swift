import EventLoop
import Glibc
import Messages

/// `omsctl stock import FILE.csv --aggregate ID`
struct StockImportCommand: Command {
  static let path = ["stock", "import"]
  static let arguments = "FILE.csv --aggregate ID"
  static let summary = "applies the stock of an aggregate from a CSV file, or standard input (-)"
  static let details = """
    --aggregate ID     the aggregate that the rows belong to
    --mode MODE        FULL: a SKU that is left out keeps its value; DELTA: only what has changed; NONZERO: a SKU that is left
                       out becomes 0; default: FULL
    --created-on TIME  when the quantities were true, e.g. 2024-02-03T04:05:06Z; default: now

    FILE.csv is UTF-8 with a heading, and has commas between its columns (RFC 4180):

      sku,quantity,unlimited
      MUG-BLUE,14,false
      "MUG ""XL"", red",3,

    unlimited may be left out. The file is read and checked as a whole before anything is sent. It goes in parts: when one
    fails, those before it stay. Importing a file twice is harmless.

    """
  static let options: Set<String> = ["aggregate", "mode", "created-on"]
  static let modes = ["FULL", "DELTA", "NONZERO"]

  private let file: String
  private let aggregate: String
  private let mode: Omsconnector.V1.SnapshotMode
  private let createdOn: Google.Protobuf.Timestamp

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    file = words[0]
    guard let aggregate = options["aggregate"], !aggregate.isEmpty else {
      throw UsageError("stock import needs --aggregate ID: the file does not say whose stock it is")
    }
    self.aggregate = aggregate
    switch options["mode"]?.uppercased() {
    case nil, "FULL": mode = .full
    case "DELTA": mode = .delta
    case "NONZERO": mode = .nonzero
    case let other?: throw UsageError("--mode: \"\(other)\" is not one of \(Self.modes.joined(separator: ", "))")
    }
    createdOn = try Self.time(options["created-on"])
  }

  private static func time(_ text: String?) throws(UsageError) -> Google.Protobuf.Timestamp {
    guard let text else {
      var now = timespec()
      clock_gettime(CLOCK_REALTIME, &now)
      return .init(seconds: Int64(now.tv_sec), nanos: Int32(now.tv_nsec))
    }
    do {
      return try .init(parsing: text)
    } catch {
      throw UsageError("--created-on: \"\(text)\" is not a time such as 2024-02-03T04:05:06Z")
    }
  }

  let defaultTimeout = Duration.seconds(3600)

  func run(in session: Session) async throws -> Int32 {
    let stock = try StockCSV(path: file)
    let progress = Lock(ProgressBar(session.console, unit: "rows"))
    defer { progress.withLock { $0.end() } }
    let response = try await session.channel.clientStreaming(
      Omsconnector.V1.InventoryServiceMethods.streamStockSnapshots, options: session.options
    ) { requests in
      var sent = 0
      for part in stock.parts {
        progress.withLock { [sent] in $0.show(Int64(sent), of: Int64(stock.rows)) }
        try await requests.send(
          .init(snapshot: .init(aggregateId: aggregate, mode: mode, createdOn: createdOn, stock: part)))
        sent += part.count
      }
      progress.withLock { [sent] in $0.show(Int64(sent), of: Int64(stock.rows)) }
    }
    progress.withLock { $0.end() }
    switch session.format {
    case .json: session.console.print(response.json(writesDefaults: true) + "\n")
    case .table: AppliedStock(response).tables.forEach { session.console.print($0) }
    }
    return 0
  }
}
