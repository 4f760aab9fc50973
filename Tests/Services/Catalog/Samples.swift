import Messages
import Storage
import TestSupport

@testable import Catalog
@testable import Commerce

/// Two websites, three views; the German one says everything its own way.
let facts = ShopFacts(
  websites: [.init(id: 0, code: "admin"), .init(id: 1, code: "base"), .init(id: 2, code: "outlet")],
  views: [
    .init(id: 0, code: "admin", isActive: true), .init(id: 1, code: "default", websiteId: 1, isActive: true),
    .init(id: 2, code: "german", websiteId: 1, isActive: true), .init(id: 3, code: "shut", websiteId: 1),
    .init(id: 4, code: "bargains", websiteId: 2, isActive: true),
  ],
  configs: [
    .init(
      id: 1, code: "default", locale: "en_US", baseCurrencyCode: "EUR", baseMediaUrl: "https://shop.example/pub/media/"),
    .init(id: 2, code: "german", locale: "de_DE", baseCurrencyCode: "EUR"),
  ], mapping: mapping)

let mapping: Mapping = {
  var mapping = Mapping()
  mapping.websites["base"] = .init(channel: "EU-STORE")
  mapping.attributes = [
    .init(level: .product, source: "color", name: "colour"),
    .init(level: .product, source: "activity", name: "activity"),
    .init(level: .product, source: "lifecycle", name: "status"),
  ]
  mapping.shipping["dhl_express"] = .init(sku: "DHL", name: "By night")
  mapping.services["fee"] = "FEE"
  return mapping
}()

/// As the shop answers it.
func product(_ json: String) throws -> ShopProduct {
  try ShopProduct(JSONDocument(parsing: Array(json.utf8)).root, codes: ProductMapping.attributeCodes(mapping))
}

func mug(_ change: (inout ShopProduct) -> Void = { _ in }) -> ShopProduct {
  var mug = ShopProduct(sku: "MUG")
  mug.id = 7
  mug.name = "Mug"
  mug.price = Decimal("12.5")
  mug.createdAt = 1_706_933_106
  mug.updatedAt = 1_706_933_106
  change(&mug)
  return mug
}

func entry(
  _ product: ShopProduct, children: [String] = [], labels: OptionLabels = OptionLabels(), mapping: Mapping = mapping
) -> CatalogEntry {
  ProductMapping(mapping, facts).entry(of: product, origin: .shop, children: children) { labels.label($0, $1) }
}

/// What the OMS is told.
func sent(_ entry: CatalogEntry) throws -> Magento.Oms.V1.Product {
  try Magento.Oms.V1.ProductUpdated(json: entry.body).product ?? .init()
}

/// An empty catalog.
final class TemporaryCatalog: Sendable {
  private let files: TestStore
  let database: Database
  let store: CatalogStore
  var directory: String { files.directory }

  init(_ engine: TestEngine = .sqlite) throws {
    files = try TestStore(engine)
    database = try files.open(CatalogSchema.migrations)
    store = CatalogStore(database)
  }

  /// Another replica on the same store.
  func another() throws -> CatalogStore { CatalogStore(try files.open(CatalogSchema.migrations)) }

  /// Keys and statuses of the messages for the OMS: by key, and of each in their order. Between keys there is none.
  func messages() async throws -> [String] {
    try await database.read { connection in
      try connection.withStatement("SELECT message_key, body FROM outbox ORDER BY message_key, id") { statement in
        var found: [String] = []
        while try statement.step() {
          let product = try Magento.Oms.V1.ProductUpdated(json: statement.blob(1)).product
          found.append("\(statement.text(0)) \(product?.status ?? "")")
        }
        return found
      }
    }
  }

  /// The last message for the OMS.
  func lastMessage() async throws -> Magento.Oms.V1.Product? {
    try await database.read { connection in
      try connection.withStatement("SELECT body FROM outbox ORDER BY created_at DESC, id DESC LIMIT 1") {
        try $0.step() ? try Magento.Oms.V1.ProductUpdated(json: $0.blob(0)).product : nil
      }
    }
  }

  func clearMessages() async throws {
    try await database.write { try $0.execute("DELETE FROM outbox") }
  }
}
