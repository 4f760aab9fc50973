import Commerce
import Messages
import RPC
import ServiceKit

extension CatalogService {
  func upsertProducts(
    _ request: Omsconnector.V1.UpsertProductsRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.UpsertProductsResponse {
    for (field, count) in [("product_json", request.productJson.count), ("skus", request.skus.count)]
    where count > CatalogRules.requested {
      throw RPCError.invalid(
        field: field, "\(count) products; at most \(CatalogRules.requested) in one request: send them in parts")
    }
    guard let intake else { throw RPCError.noShop }
    do {
      var response = Omsconnector.V1.UpsertProductsResponse()
      response.add(try await upsert(request.productJson, intake))
      response.add(try await read(request.skus, intake))
      return response
    } catch {
      throw RPCError(catalog: error)
    }
  }

  private func upsert(_ texts: [String], _ intake: ShopIntake) async throws -> UpsertOutcome {
    var (products, places): ([ShopProduct], [Int]) = ([], [])
    var outcome = UpsertOutcome()
    for (index, text) in texts.enumerated() {
      do {
        products.append(
          try ShopProduct(JSONDocument(parsing: Array(text.utf8)).root, codes: intake.reader.codes))
        places.append(index + 1)
      } catch let problem as ProductProblem {
        outcome.issues.append(Issue(sku: problem.sku, place: index + 1, reason: problem.description))
      } catch {
        outcome.issues.append(Issue(sku: "", place: index + 1, reason: "\(error)"))
      }
    }
    guard !products.isEmpty else { return outcome }
    let wrong = try await intake.wrongIDs(of: products)
    for (index, problem) in wrong.sorted(by: { $0.key < $1.key }) {
      outcome.issues.append(Issue(sku: products[index].sku, place: places[index], reason: problem))
    }
    let right = products.indices.filter { wrong[$0] == nil }
    (products, places) = (right.map { products[$0] }, right.map { places[$0] })
    guard !products.isEmpty else { return outcome }
    let taken = try await intake.take(products, origin: .client)
    outcome.taken += taken.outcome
    outcome.issues += taken.issues.map { Issue(sku: $0.sku, place: places[$0.place - 1], reason: $0.reason) }
    return outcome
  }

  /// Reads them in the shop.
  private func read(_ skus: [String], _ intake: ShopIntake) async throws -> UpsertOutcome {
    var outcome = UpsertOutcome()
    var (products, places, gone): ([ShopProduct], [Int], [String]) = ([], [], [])
    let problems = skus.map { CatalogRules.problem(ofSKU: $0) }
    let found = try await intake.reader.products(zip(skus, problems).filter { $1 == nil }.map(\.0))
    for (index, sku) in skus.enumerated() {
      if let problem = problems[index] {
        outcome.issues.append(Issue(sku: quotable(sku), place: index + 1, reason: problem))
        continue
      }
      switch found[sku] {
      case .success(let product):
        products.append(product)
        places.append(index + 1)
      case .failure(let problem):
        outcome.issues.append(Issue(sku: problem.sku, place: index + 1, reason: problem.description))
      case nil: gone.append(sku)
      }
    }
    if !products.isEmpty {
      let taken = try await intake.take(products, origin: .shop)
      outcome.taken += taken.outcome
      outcome.issues += taken.issues.map { Issue(sku: $0.sku, place: places[$0.place - 1], reason: $0.reason) }
    }
    if !gone.isEmpty {
      let (store, goneSKUs) = (store, gone)
      let facts = try await intake.reader.facts.current()
      outcome.taken += try await store.database.write(weight: 2 * gone.count, key: CatalogStore.key) {
        try store.deactivate($0, skus: goneSKUs, facts: facts)
      }
      intake.added()
      let known = Set(try await store.products(ids: [], skus: gone).map(\.sku))
      for (index, sku) in skus.enumerated() where gone.contains(sku) && !known.contains(sku) {
        outcome.issues.append(Issue(sku: sku, place: index + 1, reason: "neither the shop nor the catalog has it"))
      }
    }
    return outcome
  }
}

/// What a request has done.
struct UpsertOutcome: Sendable {
  var taken = TakeOverOutcome()
  var issues: [Issue] = []
}

extension Omsconnector.V1.UpsertProductsResponse {
  fileprivate mutating func add(_ outcome: UpsertOutcome) {
    exported += Int64(outcome.taken.exported)
    unchanged += Int64(outcome.taken.unchanged + outcome.taken.stale)
    deactivated += Int64(outcome.taken.deactivated)
    issues += outcome.issues.map { .init($0) }
  }
}

extension Omsconnector.V1.ProductIssue {
  init(_ issue: Issue) { self.init(sku: issue.sku, place: Int64(issue.place), reason: issue.reason) }
}
