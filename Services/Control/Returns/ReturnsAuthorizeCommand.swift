import Messages
import Stubs

/// `omsctl returns authorize ENTITY-ID`
struct ReturnsAuthorizeCommand: Command {
  static let path = ["returns", "authorize"]
  static let arguments = "ENTITY-ID"
  static let summary = "asks the OMS to authorise a return of the shop"
  static let details = """
    ENTITY-ID is Magento's of the return. Returns that are asked for in the shop go out by themselves; one that was asked for changes
    nothing.

    """

  private let request: Omsconnector.V1.AuthorizeReturnRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    request = .init(entityId: try NumberOption.entityID(words[0]))
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.PostSalesServiceMethods.authorizeReturn, request, options: session.options)
    session.show(response, as: ReturnTable.details(response.return ?? .init()))
    return 0
  }
}
