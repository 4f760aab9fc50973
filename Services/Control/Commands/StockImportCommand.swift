import Glibc
import Messages
import Stubs

/// `omsctl stock import FILE.csv --aggregate ID`
struct StockImportCommand: Command {
  static let path = ["stock", "import"]
  static let arguments = "FILE.csv --aggregate ID"
  static let summary = "applies the stock of an aggregate from a CSV file, or standard input (-)"
  static let details = """
    --aggregate ID     the aggregate that the rows belong to
    --mode MODE        FULL: a SKU that is left out keeps its value; DELTA: only what has changed; NONZERO: a SKU that is left
                       out becomes 0, once all rows are in; default: FULL
    --created-on TIME  when the quantities were true, e.g. 2024-02-03T04:05:06Z; default: when FILE.csv was last changed. A pipe
                       has no such time: now

    FILE.csv is UTF-8 with a heading, and has commas between its columns (RFC 4180):

      sku,quantity,unlimited
      MUG-BLUE,14,false
      "MUG ""XL"", red",3,

    unlimited may be left out. The file is read and checked as a whole before anything is sent. It goes in parts of 5 000 rows:
    when one fails, those before it stay, and the same command goes on. Importing a file twice with the same --created-on, or
    unchanged without, is harmless; rows that are older than what the store has are stale and change nothing.

    """
  static let options: Set<String> = ["aggregate", "mode", "created-on"]
  static let modes = ["FULL", "DELTA", "NONZERO"]

  private let file: String
  private let aggregate: String
  private let mode: Omsconnector.V1.SnapshotMode
  /// nil: the file says it.
  private let createdOn: Google.Protobuf.Timestamp?

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

  private static func time(_ text: String?) throws(UsageError) -> Google.Protobuf.Timestamp? {
    guard let text else { return nil }
    do {
      return try .init(parsing: text)
    } catch {
      throw UsageError("--created-on: \"\(text)\" is not a time such as 2024-02-03T04:05:06Z")
    }
  }

  /// Of one part.
  let defaultTimeout = Duration.seconds(60)

  func run(in session: Session) async throws -> Int32 {
    let contents = try InputFile.contents(of: file)
    let stock = try StockCSV(name: file == "-" ? "standard input" : file, bytes: contents.bytes)
    let createdOn = asOf(contents, session)
    var bar = ProgressBar(session.console, unit: "rows")
    defer { bar.end() }
    var imported = ImportedStock()
    var done = 0
    for (snapshot, lines) in StockImport(aggregate: aggregate, mode: mode, createdOn: createdOn, stock: stock).snapshots
    {
      bar.show(Int64(done), of: Int64(stock.rows))
      do {
        let answer = try await session.channel.unary(
          Omsconnector.V1.InventoryServiceMethods.applyStockSnapshot, .init(snapshot: snapshot),
          options: session.options)
        imported.add(answer, lines: lines)
      } catch {
        bar.end()
        session.console.complain(
          "\(done) of \(stock.rows) rows are in; the same command with --created-on \(createdOn.text) goes on with the others"
        )
        throw error
      }
      done += lines.count
      bar.show(Int64(done), of: Int64(stock.rows))
    }
    bar.end()
    show(imported.total, session)
    return 0
  }

  private func asOf(_ contents: InputFile.Contents, _ session: Session) -> Google.Protobuf.Timestamp {
    if let createdOn { return createdOn }
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let createdOn = contents.modifiedAt ?? .init(seconds: Int64(now.tv_sec), nanos: Int32(now.tv_nsec))
    if session.format == .table {
      let source = contents.modifiedAt == nil ? "now" : "when the file was last changed"
      session.console.complain("stock as of \(createdOn.text), \(source); --created-on says otherwise")
    }
    return createdOn
  }

  private func show(_ total: Omsconnector.V1.StreamStockSnapshotsResponse, _ session: Session) {
    switch session.format {
    case .json: session.console.print(total.json(writesDefaults: true) + "\n")
    case .table:
      AppliedStock(total, row: "LINE").tables.forEach { session.console.print($0) }
      if total.stale > 0 {
        session.console.complain("stale rows changed nothing: the store has newer values, see --created-on in --help")
      }
    }
  }
}
