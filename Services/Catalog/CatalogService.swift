import Commerce
import EventLoop
import Messages
import RPC
import ServiceKit
import Stubs

/// `omsconnector.v1.CatalogService`.
struct CatalogService: Omsconnector.V1.CatalogService {
  /// A page ends here, far from a message's limit of 4 MiB.
  static let pageBytes = 1 << 20

  let store: CatalogStore
  let confirmation: ProductConfirmation
  /// nil without a shop.
  let intake: ShopIntake?
  let runs: CatalogRuns?
  let mapping: Mapping
  let loop: EventLoop
  /// Told when messages have been added.
  let added: @Sendable () -> Void

  func getProduct(
    _ request: Omsconnector.V1.GetProductRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetProductResponse {
    if let problem = CatalogRules.problem(ofSKU: request.sku) { throw RPCError.invalid(field: "sku", problem) }
    do {
      guard let row = try await store.product(request.sku) else {
        throw RPCError(
          .notFound,
          "no product with SKU \"\(quotable(request.sku))\"; check the spelling, upper and lower case included, or see "
            + "ListProducts")
      }
      return .init(product: .init(row))
    } catch {
      throw RPCError(catalog: error)
    }
  }

  func listProducts(
    _ request: Omsconnector.V1.ListProductsRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListProductsResponse {
    let asked = try PageRequest(size: request.pageSize, token: request.pageToken, of: "products")
    do {
      let page = try await store.page(after: asked.place, limit: asked.limit, byteLimit: Self.pageBytes)
      let next = page.isLast ? nil : page.rows.last.map { asked.token(after: $0.sku) }
      return .init(products: page.rows.map { .init($0) }, nextPageToken: next ?? "")
    } catch {
      throw RPCError(catalog: error)
    }
  }

  func lookUpProducts(
    _ request: Omsconnector.V1.LookUpProductsRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.LookUpProductsResponse {
    let count = request.productIds.count + request.skus.count
    guard count <= CatalogRules.requested else {
      throw RPCError.invalid(
        field: "product_ids",
        "\(count) products; at most \(CatalogRules.requested) in one request: ask in parts")
    }
    for sku in request.skus {
      if let problem = CatalogRules.problem(ofSKU: sku) { throw RPCError.invalid(field: "skus", problem) }
    }
    do {
      let products = try await store.products(ids: request.productIds, skus: request.skus)
      let missing = try await confirmation.missing(among: products)
      return .init(
        products: products.map { row in
          var product = Omsconnector.V1.Product(row)
          // An order must not come before its product.
          if missing.contains(row.sku) { product.exportedAt = nil }
          return product
        })
    } catch {
      throw RPCError(catalog: error)
    }
  }
}

extension Omsconnector.V1.Product {
  init(_ row: CatalogRow) {
    self.init(
      sku: row.sku, productId: row.productID, type: row.type, name: row.name, status: row.status,
      price: row.price.isEmpty ? nil : .init(value: row.price), currency: row.currency, childrenSkus: row.childrenSKUs,
      imageUrl: row.imageURL, shipsTogether: row.shipsTogether,
      exportedAt: .init(nanosecondsSinceEpoch: row.exportedAt),
      updatedAt: row.updatedAt > 0 ? .init(seconds: row.updatedAt, nanos: 0) : nil)
  }
}

extension RPCError {
  /// The status for whatever the use cases throw. What only the operator can use goes to the log as the cause.
  init(catalog error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case let error as CommerceError where error.mayPass:
      self.init(
        .unavailable, "the shop can't be read now: \(error)",
        details: [.errorInfo(reason: "SHOP_UNAVAILABLE", domain: "omsconnector"), .retryInfo(.seconds(5))], cause: error
      )
    case let error as CommerceError:
      self.init(
        .failedPrecondition, "the shop can't be read: \(error)",
        details: [.errorInfo(reason: "SHOP_REFUSED", domain: "omsconnector")], cause: error)
    default: self.init(storing: error, what: "the catalog")
    }
  }

  /// What needs a shop where there is none.
  static let noShop = RPCError(
    .failedPrecondition, "no shop is configured; set COMMERCE_URL and COMMERCE_TOKEN of the catalog service",
    details: [.errorInfo(reason: "NO_SHOP", domain: "omsconnector")])
}
