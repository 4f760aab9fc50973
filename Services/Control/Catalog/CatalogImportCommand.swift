import EventLoop
import Messages
import Stubs

/// `omsctl catalog import FILE.csv`
struct CatalogImportCommand: Command {
  static let path = ["catalog", "import"]
  static let arguments = "FILE.csv"
  static let summary = "takes over products from a CSV file of the shop, or standard input (-)"
  static let details = """
    The file is one of Magento's product exports, in UTF-8. Its columns sku, product_type, name, price, weight, product_online,
    base_image, additional_attributes and configurable_variations are read, and those of mapped attributes. As in the shop, what
    a file has no column for and empty cells stay as they are, and __EMPTY__VALUE__ empties; a new product needs name and
    product_type. Products that the OMS knows so already are not sent again. Rows that can't be used are shown with their lines;
    the others are taken over.

    """

  /// Bytes of the file in one message.
  static let partBytes = 256 << 10

  private let file: String

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    file = words[0]
  }

  let defaultTimeout = Duration.seconds(3_600)

  func run(in session: Session) async throws -> Int32 {
    let bytes = try InputFile.read(file)
    let bar = Lock(ProgressBar(session.console, unit: "KiB"))
    defer { bar.withLock { $0.end() } }
    let answer = try await session.channel.clientStreaming(
      Omsconnector.V1.CatalogServiceMethods.importProducts, options: session.options
    ) { requests in
      for start in stride(from: 0, to: bytes.count, by: Self.partBytes) {
        let end = min(start + Self.partBytes, bytes.count)
        try await requests.send(.init(csv: Array(bytes[start..<end])))
        bar.withLock { $0.show(Int64(end) / 1_024, of: Int64(bytes.count) / 1_024) }
      }
    }
    bar.withLock { $0.end() }
    switch session.format {
    case .json: session.console.print(answer.json(writesDefaults: true) + "\n")
    case .table:
      var table = Table(.right("READ"), .right("EXPORTED"), .right("UNCHANGED"), .right("FAILED"))
      table.add("\(answer.read)", "\(answer.exported)", "\(answer.unchanged)", "\(answer.failed)")
      session.console.print(table)
      if !answer.issues.isEmpty { session.console.print(ProductTable.of(answer.issues, place: "LINE")) }
    }
    return answer.failed == 0 ? 0 : 1
  }
}
