import Messages
import Stubs

/// `omsctl returns resume RMA | --entity ID`
struct ReturnsResumeCommand: Command {
  static let path = ["returns", "resume"]
  static let arguments = ReturnName.arguments
  static let summary = "looks at the shop anew and does what is missing"
  static let details = """
    For a return that needs you, once what it says is settled. What the shop shows as done is not done again.


    """ + ReturnName.details
  static let options = ReturnName.options

  private let name: ReturnName

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    name = try ReturnName(words, options, of: Self.self)
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.PostSalesServiceMethods.resumeReturn, .init(rma: name.rma, entityId: name.entityID),
      options: session.options)
    session.show(response, as: ReturnTable.details(response.return ?? .init()))
    return 0
  }
}
