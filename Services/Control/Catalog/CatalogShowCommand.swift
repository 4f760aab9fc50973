import Messages
import Stubs

/// `omsctl catalog show SKU`
struct CatalogShowCommand: Command {
  static let path = ["catalog", "show"]
  static let arguments = "SKU"
  static let summary = "shows one product as the OMS was told of it"

  private let sku: String

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    sku = words[0]
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.CatalogServiceMethods.getProduct, .init(sku: sku), options: session.options)
    session.show(response, as: ProductTable.details(response.product ?? .init()))
    return 0
  }
}
