import Messages
import Stubs

/// `omsctl returns show RMA | --entity ID`
struct ReturnsShowCommand: Command {
  static let path = ["returns", "show"]
  static let arguments = "RMA | --entity ID"
  static let summary = "shows one return with its lines"
  static let details = """
    RMA          the OMS's id of the return
    --entity ID  Magento's id of it instead

    """
  static let options: Set<String> = ["entity"]

  private let request: Omsconnector.V1.GetReturnRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(options["entity"] == nil ? 1 : 0, words)
    if let text = options["entity"] {
      request = .init(entityId: try NumberOption.entityID(text))
    } else {
      request = .init(rma: words[0])
    }
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.PostSalesServiceMethods.getReturn, request, options: session.options)
    switch session.format {
    case .json: session.console.print(response.json(writesDefaults: true) + "\n")
    case .table: session.console.print(ReturnTable.details(response.return ?? .init()))
    }
    return 0
  }
}
