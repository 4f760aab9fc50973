import Commerce
import Messages
import RPC
import Stubs

/// What the catalog service knows of products: which of them the OMS has, above all.
struct CatalogLookUp: Sendable {
  typealias Request = Omsconnector.V1.LookUpProductsRequest
  typealias Response = Omsconnector.V1.LookUpProductsResponse

  /// Of a request.
  static let limit = 1_000
  static let timeout = Duration.seconds(10)

  private let ask: @Sendable (Request) async throws -> Response
  private let upsert: @Sendable (Omsconnector.V1.UpsertProductsRequest) async throws -> Void

  /// - Parameters:
  ///   - ask: `CatalogService.LookUpProducts`.
  ///   - upsert: `CatalogService.UpsertProducts`.
  init(
    _ ask: @escaping @Sendable (Request) async throws -> Response,
    upsert: @escaping @Sendable (Omsconnector.V1.UpsertProductsRequest) async throws -> Void = { _ in }
  ) {
    self.ask = ask
    self.upsert = upsert
  }

  init(_ channel: Channel) {
    self.init(
      { request in
        try await channel.unary(
          Omsconnector.V1.CatalogServiceMethods.lookUpProducts, request, options: CallOptions(timeout: Self.timeout))
      },
      upsert: { request in
        let answer = try await channel.unary(
          Omsconnector.V1.CatalogServiceMethods.upsertProducts, request, options: CallOptions(timeout: Self.timeout))
        if let issue = answer.issues.first { throw RPCError(.invalidArgument, "\(issue.sku): \(issue.reason)") }
      })
  }

  /// Has the catalog export a shipping method of the shop under the SKU `CARRIER-METHOD` (connector.md §3).
  func announce(shippingMethod method: String, name: String) async throws {
    let sku = method.replacing("_", with: "-", maxReplacements: 1)
    let (text, shown) = (JSONText.quoted(sku), JSONText.quoted(name.isEmpty ? method : name))
    try await upsert(
      .init(productJson: ["{\"sku\":\(text),\"name\":\(shown),\"type_id\":\"shipping\",\"status\":1,\"price\":0}"]))
  }

  /// What is known; what is not is left out.
  ///
  /// - Throws: `RPCError`.
  func callAsFunction(productIDs: Set<Int64>, skus: Set<String>) async throws -> CatalogProducts {
    var found = CatalogProducts()
    let (ids, names) = (productIDs.sorted(), skus.sorted())
    for start in stride(from: 0, to: ids.count, by: Self.limit) {
      found.add(try await ask(Request(productIds: Array(ids[start..<min(start + Self.limit, ids.count)]))))
    }
    for start in stride(from: 0, to: names.count, by: Self.limit) {
      found.add(try await ask(Request(skus: Array(names[start..<min(start + Self.limit, names.count)]))))
    }
    return found
  }
}

/// Products of orders, as the catalog knows them.
struct CatalogProducts: Sendable {
  /// By the shop's product id.
  var byID: [Int64: CatalogProduct] = [:]
  /// SKUs that the OMS has.
  var exportedSKUs: Set<String> = []

  fileprivate mutating func add(_ response: Omsconnector.V1.LookUpProductsResponse) {
    for product in response.products {
      let known = CatalogProduct(
        sku: product.sku, isExported: product.exportedAt != nil, price: product.price.flatMap { Decimal($0) } ?? 0,
        imageURL: product.imageUrl.isEmpty ? nil : product.imageUrl, isShippedTogether: product.shipsTogether)
      if product.productId != 0 { byID[product.productId] = known }
      if known.isExported { exportedSKUs.insert(product.sku) }
    }
  }
}
