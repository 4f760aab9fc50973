import Commerce
import Messages

/// What the shop's inventory is like, read now and then: a merchant may switch multi-source inventory on, or move a website.
struct ShopInventoryReader: Sendable {
  static let age = Duration.seconds(600)

  private let modules: ShopModules
  private let inventory: CachedReading<ShopInventory>

  init(_ client: CommerceClient) {
    let modules = ShopModules(client)
    self.modules = modules
    inventory = CachedReading(for: Self.age) { try await Self.read(client, modules) }
  }

  /// - Throws: `CommerceError`.
  func current() async throws -> ShopInventory { try await inventory.current() }

  /// What was read does not hold any more: the shop has answered as if it were otherwise.
  func forget() async {
    await modules.forget()
    await inventory.forget()
  }

  private static func read(_ client: CommerceClient, _ modules: ShopModules) async throws -> ShopInventory {
    var inventory = ShopInventory()
    inventory.hasSources = try await modules.has(ShopModules.inventory)
    guard inventory.hasSources else { return inventory }
    inventory.allWebsites = Set(try await ShopSetUp.websiteCodes(client))
    for source in try await client.readNumberedPages("V1/inventory/sources") {
      if let code = source["source_code"]?.string { inventory.sources.insert(code) }
    }
    for stock in try await client.readNumberedPages("V1/inventory/stocks") {
      guard let id = stock["stock_id"]?.integer else { continue }
      let channels = stock["extension_attributes"]?["sales_channels"]?.elements ?? []
      inventory.websites[id] = channels.filter { $0["type"]?.string == "website" }.compactMap { $0["code"]?.string }
    }
    for link in try await client.readNumberedPages("V1/inventory/stock-source-links") {
      guard let id = link["stock_id"]?.integer, let code = link["source_code"]?.string else { continue }
      inventory.sourcesOfStock[id, default: []].insert(code)
    }
    return inventory
  }
}
