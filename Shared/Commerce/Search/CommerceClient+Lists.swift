import Messages

/// Lists without criteria, and those that can't be cut by an id.
extension CommerceClient {
  /// Pages of a list at most, of ``entriesPerPage`` each: nobody has ten thousand stocks.
  static let pageLimit = 100
  static let entriesPerPage = 100

  /// GET of a route that answers a list.
  ///
  /// - Throws: `CommerceError`.
  public func getList(_ route: String) async throws -> [JSONValue] {
    guard let elements = try await getJSON(route).root.elements else {
      throw CommerceError(.unreadable, status: 200, request: "GET \(route)", "the answer is no list")
    }
    return elements
  }

  /// GET of a route that answers a list of messages.
  ///
  /// - Throws: `CommerceError`.
  public func getMessages<M: Message>(_ route: String) async throws -> [M] {
    try await getList(route).map { element throws(CommerceError) in
      do throws(MessageError) {
        return try M(json: element)
      } catch {
        throw CommerceError(
          .unreadable, status: 200, request: "GET \(route)", "the answer is not as expected: \(error)")
      }
    }
  }

  /// All that a search finds, by the numbers of its pages: for lists that change once in a while only, and have no number of their
  /// own to be cut by, as ``readAll(_:_:id:after:store:pageSize:noting:_:)`` wants one.
  ///
  /// - Throws: `CommerceError`, also for more than 10 000 entries, or 100 pages of what the shop allows.
  public func readNumberedPages(_ route: String, _ criteria: SearchCriteria = SearchCriteria()) async throws
    -> [JSONValue]
  {
    var items: [JSONValue] = []
    var criteria = criteria
    let size = PageSize(Self.entriesPerPage)
    for page in 1...Self.pageLimit {
      criteria.currentPage = page
      criteria.pageSize = size.current
      let answer: JSONValue
      do {
        answer = try await getJSON(route, criteria.query).root
      } catch let error as CommerceError
        where page == 1 && error.kind == .refused && size.lower(after: error, from: size.current)
      {
        // The shop allows less (magento-rules.md §4, "Input limits").
        criteria.pageSize = size.current
        answer = try await getJSON(route, criteria.query).root
      }
      let more = answer["items"]?.elements ?? []
      items += more
      let total = answer["total_count"]?.integer
      guard let total, !more.isEmpty, items.count < total else { return items }
    }
    throw CommerceError(
      .unreadable, status: 200, request: "GET \(route)",
      "the list has more than \(Self.pageLimit * size.current) entries")
  }
}
