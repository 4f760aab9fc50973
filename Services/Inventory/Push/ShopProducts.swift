import Commerce
import EventLoop
import Messages

/// Which SKUs the shop has. It takes source items of SKUs that it doesn't have without a word, and refuses whole bodies for those of
/// products that have none: looked up before anything is sent, and remembered.
final class ShopProducts: Sendable {
  /// SKUs of one question at most: a page that every shop answers.
  static let perRequest = 50
  /// From so many SKUs on that nothing is known of, the whole catalog is read, which takes fewer requests.
  static let scanFrom = 300
  /// Products that the shop may fail to show when the whole catalog is read.
  static let passedOver = 10
  /// SKUs that are remembered, as hashes: some megabytes.
  static let memory = 300_000
  static let freshness = Duration.seconds(24 * 3600)

  private struct State {
    /// By the hash of the SKU as the shop's database compares it: whether its product has stock of its own.
    var known: [Int: Bool] = [:]
    var since = ContinuousClock.now
    var scan: Task<Void, any Error>?
    var hasScanned = false
    /// A product that the shop has shown.
    var shown: String?
  }

  /// What the shop has answered about SKUs.
  private struct Looked {
    var problems: [String: String] = [:]
    /// Whether it has answered a question.
    var hasSeen = false
    /// The last question that it has failed on.
    var failure: CommerceError?
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
    var looked = Looked()
    for part in SKUSearch.parts(of: unknown, atMost: Self.perRequest) { try await lookOrHalve(part, &looked) }
    try await check(&looked)
    return looked.problems
  }

  /// A product that the shop can't show fails all that it is asked for with: then halves are asked for. Of one by itself nothing is
  /// known, and its stock is sent, as the shop may take that; unless the shop shows no other either.
  private func lookOrHalve(_ whole: SKUSearch, _ looked: inout Looked) async throws {
    var parts = [whole]
    while !parts.isEmpty {
      let part = parts.removeFirst()
      do {
        try await look(part, &looked.problems)
        looked.hasSeen = true
      } catch let error as CommerceError where error.kind == .failed {
        looked.failure = error
        parts += part.halves
      }
      if parts.count >= Self.partsInDoubt { try await check(&looked) }
    }
  }

  /// So many parts of SKUs are asked for while the shop fails on each.
  private static let partsInDoubt = 8

  /// A shop that has failed on all questions is asked for a product that it has shown before. What is not known yet may be all that
  /// it can't show: the others are remembered.
  private func check(_ looked: inout Looked) async throws {
    guard !looked.hasSeen, let failure = looked.failure else { return }
    guard let shown = state.withLock({ $0.shown }) else { throw failure }
    var problems: [String: String] = [:]
    for part in SKUSearch.parts(of: [shown], atMost: 1) { try await look(part, &problems) }
    looked.hasSeen = true
  }

  private func look(_ part: SKUSearch, _ problems: inout [String: String]) async throws {
    var criteria = SearchCriteria().where(part.filter).selecting("items[sku,type_id],total_count")
    criteria.pageSize = part.skus.count
    criteria.currentPage = 1
    let items = try await client.getJSON("V1/products", criteria.query).root["items"]?.elements ?? []
    remember(items)
    var types: [Int: String] = [:]
    for item in items { types[Self.key(item["sku"]?.string ?? "")] = item["type_id"]?.string ?? "" }
    for sku in part.skus {
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
    let shown = items.lazy.compactMap { $0["sku"]?.string }.first
    state.withLock { state in
      state.shown = shown ?? state.shown
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
    try await client.readPages(
      "V1/products", criteria, id: .product, pageSize: pageSize, passing: PassedOver(limit: Self.passedOver)
    ) { remember($0.items) }
    state.withLock { $0.hasScanned = true }
  }
}
