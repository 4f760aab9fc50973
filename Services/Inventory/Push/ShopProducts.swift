import Commerce
import EventLoop
import Messages

/// Which SKUs the shop has. It takes source items of SKUs that it doesn't have without a word, and refuses whole bodies for those of
/// products that have none: looked up before anything is sent, and remembered.
final class ShopProducts: Sendable {
  /// SKUs of one question: what fits into a request's line.
  static let perRequest = 50
  /// From so many SKUs on that nothing is known of, the whole catalog is read, which takes fewer requests.
  static let scanFrom = 300
  /// SKUs that are remembered, as hashes: some megabytes.
  static let memory = 300_000
  static let freshness = Duration.seconds(24 * 3600)

  private struct State {
    /// By the hash of the SKU as the shop's database compares it: whether its product has stock of its own.
    var known: [Int: Bool] = [:]
    var since = ContinuousClock.now
    var scan: Task<Void, any Error>?
    var hasScanned = false
  }

  private let client: CommerceClient
  private let pageSize = PageSize()
  private let state = Lock(State())

  init(_ client: CommerceClient) { self.client = client }

  /// - Returns: why a SKU can't be pushed, for those that can't.
  func problems(of skus: [String]) async throws -> [String: String] {
    var unknown = unseen(skus)
    if unknown.count >= Self.scanFrom {
      try await scanOnce()
      unknown = unseen(skus)
    }
    var problems: [String: String] = [:]
    for start in stride(from: 0, to: unknown.count, by: Self.perRequest) {
      let asked = Array(unknown[start..<min(start + Self.perRequest, unknown.count)])
      // The shop takes a comma for the end of a value.
      let (alone, together) = (asked.filter { $0.contains(",") }, asked.filter { !$0.contains(",") })
      if !together.isEmpty { try await look(together, .in, together.joined(separator: ","), &problems) }
      for sku in alone { try await look([sku], .eq, sku, &problems) }
    }
    return problems
  }

  private func look(
    _ skus: [String], _ condition: SearchCriteria.Condition, _ value: String, _ problems: inout [String: String]
  ) async throws {
    var criteria = SearchCriteria().where("sku", condition, value).selecting("items[sku,type_id],total_count")
    criteria.pageSize = skus.count
    criteria.currentPage = 1
    let items = try await client.getJSON("V1/products", criteria.query).root["items"]?.elements ?? []
    remember(items)
    var types: [Int: String] = [:]
    for item in items { types[Self.key(item["sku"]?.string ?? "")] = item["type_id"]?.string ?? "" }
    for sku in skus {
      switch types[Self.key(sku)] {
      case nil: problems[sku] = "the shop has no product with this SKU"
      case let type? where !Self.hasStock(type):
        problems[sku] = "the shop's product is of the type \(type), which has no stock of its own"
      default: break
      }
    }
  }

  /// To the shop's database, upper and lower case are the same.
  private static func key(_ sku: String) -> Int { sku.lowercased().hashValue }

  private static func hasStock(_ type: String) -> Bool { !["configurable", "bundle", "grouped"].contains(type) }

  private func unseen(_ skus: [String]) -> [String] {
    state.withLock { state in
      if ContinuousClock.now - state.since > Self.freshness { state = State() }
      return skus.filter { state.known[Self.key($0)] != true }
    }
  }

  private func remember(_ items: [JSONValue]) {
    let found = items.compactMap { item in item["sku"]?.string.map { (Self.key($0), item["type_id"]?.string ?? "") } }
    state.withLock { state in
      guard state.known.count < Self.memory else { return }
      for (key, type) in found { state.known[key] = Self.hasStock(type) }
    }
  }

  /// Partitions that need it at the same time wait for the same one; it is done once a day.
  private func scanOnce() async throws {
    let scan = state.withLock { state -> Task<Void, any Error>? in
      if state.hasScanned { return nil }
      if let scan = state.scan { return scan }
      let scan = Task { try await self.scan() }
      state.scan = scan
      return scan
    }
    try await scan?.value
  }

  private func scan() async throws {
    defer { state.withLock { $0.scan = nil } }
    let criteria = SearchCriteria().selecting("items[id,sku,type_id],total_count")
    try await client.readAll("V1/products", criteria, id: .product, pageSize: pageSize) { items, _ in remember(items) }
    state.withLock { $0.hasScanned = true }
  }
}
