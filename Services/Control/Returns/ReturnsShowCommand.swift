import Messages
import Stubs

/// `omsctl returns show RMA | --entity ID`
struct ReturnsShowCommand: Command {
  static let path = ["returns", "show"]
  static let arguments = ReturnName.arguments
  static let summary = "shows one return with its lines"
  static let details = ReturnName.details
  static let options = ReturnName.options

  private let name: ReturnName

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    name = try ReturnName(words, options, of: Self.self)
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.PostSalesServiceMethods.getReturn, .init(rma: name.rma, entityId: name.entityID),
      options: session.options)
    session.show(response, as: ReturnTable.details(response.return ?? .init()))
    return 0
  }
}
