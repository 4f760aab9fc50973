import Commerce
import EventLoop
import Messages

/// What the shop's inventory is like, read now and then: a merchant may switch multi-source inventory on, or move a website.
actor ShopInventoryReader {
  static let freshness = Duration.seconds(600)
  /// Pages of a list at most, of 100 entries: nobody has ten thousand stocks.
  static let pageLimit = 100

  private let client: CommerceClient
  private var known: (inventory: ShopInventory, at: ContinuousClock.Instant)?

  init(_ client: CommerceClient) { self.client = client }

  /// - Throws: `CommerceError`.
  func current() async throws -> ShopInventory {
    if let known, ContinuousClock.now - known.at < Self.freshness { return known.inventory }
    let inventory = try await read()
    known = (inventory, .now)
    return inventory
  }

  /// What was read does not hold any more: the shop has answered as if it were otherwise.
  func forget() { known = nil }

  private func read() async throws -> ShopInventory {
    var inventory = ShopInventory()
    let modules = try await client.getJSON("V1/modules").root.elements ?? []
    inventory.hasSources = modules.contains { $0.string == "Magento_InventoryApi" }
    guard inventory.hasSources else { return inventory }
    for website in try await client.getJSON("V1/store/websites").root.elements ?? [] {
      if let code = website["code"]?.string, Self.integer(website["id"]) != 0 { inventory.allWebsites.insert(code) }
    }
    for source in try await items("V1/inventory/sources") {
      if let code = source["source_code"]?.string { inventory.sources.insert(code) }
    }
    for stock in try await items("V1/inventory/stocks") {
      guard let id = Self.integer(stock["stock_id"]) else { continue }
      let channels = stock["extension_attributes"]?["sales_channels"]?.elements ?? []
      inventory.websites[id] = channels.filter { $0["type"]?.string == "website" }.compactMap { $0["code"]?.string }
    }
    for link in try await items("V1/inventory/stock-source-links") {
      guard let id = Self.integer(link["stock_id"]), let code = link["source_code"]?.string else { continue }
      inventory.sourcesOfStock[id, default: []].insert(code)
    }
    return inventory
  }

  /// Lists that change once in a while only, and have no number of their own to be cut by.
  private func items(_ route: String) async throws -> [JSONValue] {
    var items: [JSONValue] = []
    for page in 1...Self.pageLimit {
      var criteria = SearchCriteria()
      criteria.pageSize = 100
      criteria.currentPage = page
      let answer = try await client.getJSON(route, criteria.query).root
      let more = answer["items"]?.elements ?? []
      items += more
      guard let total = Self.integer(answer["total_count"]), !more.isEmpty, items.count < total else { break }
    }
    return items
  }

  private static func integer(_ value: JSONValue?) -> Int64? { value.flatMap { Int64($0.string ?? $0.text) } }
}
