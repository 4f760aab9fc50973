/// Where an aggregate's stock goes in the shop, as the mapping file says.
struct PushTarget: Sendable, Equatable {
  /// The website's code.
  var website: String
  /// With multi-source inventory: the shop's source; nil for the one that every shop has.
  var source: String?

  static let defaultSource = "default"
  var sourceCode: String { source ?? Self.defaultSource }
}

/// What of the shop's inventory decides what a quantity means.
struct ShopInventory: Sendable, Equatable {
  /// Codes of all websites, but for the administration.
  var allWebsites: Set<String> = []
  /// Whether multi-source inventory is on.
  var hasSources = false
  var sources: Set<String> = []
  /// The websites that each stock sells on.
  var websites: [Int64: [String]] = [:]
  /// The sources of each stock.
  var sourcesOfStock: [Int64: Set<String>] = [:]

  /// The stock that every shop has: websites are on it until somebody puts them on another.
  static let defaultStock: Int64 = 1

  func stock(of website: String) -> Int64? { websites.filter { $0.value.contains(website) }.keys.min() }
}

/// How the quantities of an aggregate are written.
enum PushRoute: Sendable, Equatable {
  /// With multi-source inventory: to a source; orders of these websites are reserved against it.
  case source(code: String, websites: Set<String>)
  /// Without: one quantity a product, for all websites.
  case stockItem

  /// - Throws: ``PushProblem`` when what the mapping says can't be done in this shop.
  init(_ aggregateId: String, of targets: [String: PushTarget], in shop: ShopInventory) throws(PushProblem) {
    guard let target = targets[aggregateId] else {
      throw PushProblem("aggregate \(aggregateId) is not in the mapping file; add: aggregate \(aggregateId) = WEBSITE")
    }
    let others = targets.keys.filter { $0 != aggregateId }.sorted()
    guard shop.hasSources else {
      // One quantity a product can't be two aggregates': whichever came last would win.
      if others.isEmpty {
        self = .stockItem
        return
      }
      throw PushProblem(
        "the shop has no multi-source inventory, so a product has one quantity, but the mapping file names "
          + "\(targets.count) aggregates (\(targets.keys.sorted().joined(separator: ", "))); keep one, or switch it on")
    }
    let code = target.sourceCode
    guard shop.sources.contains(code) else {
      throw PushProblem(
        "the shop has no source \(code); create it, or name another one: aggregate \(aggregateId) = "
          + "\(target.website) source=CODE")
    }
    if let other = others.first(where: { targets[$0]?.sourceCode == code }) {
      throw PushProblem(
        "aggregates \(aggregateId) and \(other) both go to source \(code); give each a source of its own")
    }
    // The shop reserves a unit once for a stock, whichever of its sources holds it: what is added for it can't be added to two.
    if let stock = shop.stock(of: target.website),
      let other = others.first(where: { targets[$0].flatMap { shop.stock(of: $0.website) } == stock })
    {
      throw PushProblem(
        "aggregates \(aggregateId) and \(other) both sell from stock \(stock) of the shop; give each website a stock of its own, or "
          + "keep one of the aggregates")
    }
    let onStock = shop.stock(of: target.website).flatMap { shop.websites[$0] } ?? []
    self = .source(code: code, websites: Set(onStock).union([target.website]))
  }
}

/// Why an aggregate's stock can't be pushed as things are, and what to do.
struct PushProblem: Error, Equatable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
