import Messages

/// A search of the shop whose items are asked for in the order of their ids.
struct ShopList {
  let client: CommerceClient
  let route: String
  let criteria: SearchCriteria
  let id: ShopID
  let store: String

  /// - Parameter failed: told of each try that has failed.
  func page(after: Int64, size: Int, failed: @escaping (CommerceError) -> Void) async throws -> ShopPage {
    var criteria = criteria.where(id.field, .gt, "\(after)").sorted(by: id.field)
    criteria.pageSize = size
    criteria.currentPage = 1
    let answer = try await client.getJSON(route, criteria.query, store: store, failed: failed).root
    return try ShopPage(answer, id: id, after: after, request: "GET \(route)")
  }

  /// The first item behind an id, when that is what the shop fails on: a search that ends before it finds nothing, and one that
  /// ends with it fails. What is to be selected (`fields`) makes no difference to Magento, which makes the whole answer first. So the
  /// place where searches begin to fail is looked for, in steps that double and then halve: 126 requests at most, and few where
  /// ids are dense.
  ///
  /// - Returns: nil when it isn't: a search that finds nothing fails too, or what has failed passes now.
  func firstUnreadable(after: Int64) async throws -> Int64? {
    guard try await look(after, upTo: after) == .nothing else { return nil }
    var (low, high) = (after, after)
    var step: Int64 = 1
    while true {
      let (sum, isOver) = after.addingReportingOverflow(step)
      if isOver { return nil }
      high = sum
      let found = try await look(after, upTo: high)
      if found == .failure { break }
      guard found == .nothing, step <= .max / 2 else { return nil }
      (low, step) = (high, step * 2)
    }
    while high - low > 1 {
      let middle = low + (high - low) / 2
      switch try await look(after, upTo: middle) {
      case .failure: high = middle
      case .nothing: low = middle
      case .item: return nil
      }
    }
    // A failure on the way may have been another one.
    return try await look(low, upTo: high) == .failure ? high : nil
  }

  /// So many of the newest, and of the oldest, are asked for until one is shown.
  static let neighbours = 3

  /// Whether the route shows anything but these, whatever else is wanted of it: what the shop can't show may have neighbours that it
  /// can't show for the same reason.
  func hasItem(besides ids: [Int64], _ passing: PassedOver) async throws -> Bool {
    let others = PassedOver(known: passing.known + ids).narrowing(SearchCriteria(), id)
    for isAscending in [false, true] {
      for number in 1...Self.neighbours {
        var criteria = others.sorted(by: id.field, ascending: isAscending).selecting("items[\(id.member)],total_count")
        criteria.pageSize = 1
        criteria.currentPage = number
        if try await found(criteria) == .item { return true }
      }
    }
    return false
  }

  private enum Found {
    case nothing, item, failure
  }

  private func look(_ after: Int64, upTo last: Int64) async throws -> Found {
    var criteria = criteria.where(id.field, .gt, "\(after)").where(id.field, .lteq, "\(last)").sorted(by: id.field)
    criteria.pageSize = 1
    criteria.currentPage = 1
    return try await found(criteria)
  }

  private func found(_ criteria: SearchCriteria) async throws -> Found {
    do {
      let answer = try await client.getJSON(route, criteria.query, store: store, tries: 1).root
      return answer["items"]?.elements?.isEmpty ?? true ? .nothing : .item
    } catch let error as CommerceError where error.mayBeOfOneItem {
      return .failure
    }
  }
}
