/// What `GET …?searchCriteria` finds (magento-rest.md §1): all groups have to hold, of a group one filter.
public struct SearchCriteria: Sendable {
  public enum Condition: String, Sendable {
    case eq, neq, gt, gteq, lt, lteq, like, null, notnull, `in`, nin
  }

  public struct Filter: Sendable {
    var field: String
    var condition: Condition
    var value: String

    public init(_ field: String, _ condition: Condition, _ value: String) {
      self.field = field
      self.condition = condition
      self.value = value
    }
  }

  private var groups: [[Filter]] = []
  private var sorting: (field: String, isAscending: Bool)?
  /// Of the answer; all when nil.
  private var fields: String?
  public var pageSize: Int?
  public var currentPage: Int?

  public init() {}

  /// One of these has to hold too.
  public func `where`(_ filters: Filter...) -> SearchCriteria {
    var other = self
    other.groups.append(filters)
    return other
  }

  /// That has to hold too.
  public func `where`(_ field: String, _ condition: Condition, _ value: String) -> SearchCriteria {
    `where`(Filter(field, condition, value))
  }

  public func sorted(by field: String, ascending: Bool = true) -> SearchCriteria {
    var other = self
    other.sorting = (field, ascending)
    return other
  }

  /// - Parameter fields: what is to be answered, as in `items[sku,name],total_count`.
  public func selecting(_ fields: String) -> SearchCriteria {
    var other = self
    other.fields = fields
    return other
  }

  /// As parameters of a URL, for ``CommerceClient/get(_:_:store:)``.
  public var query: [(name: String, value: String)] {
    var query: [(name: String, value: String)] = []
    for (group, filters) in groups.enumerated() {
      for (index, filter) in filters.enumerated() {
        let prefix = "searchCriteria[filter_groups][\(group)][filters][\(index)]"
        query.append(("\(prefix)[field]", filter.field))
        query.append(("\(prefix)[condition_type]", filter.condition.rawValue))
        query.append(("\(prefix)[value]", filter.value))
      }
    }
    if let sorting {
      query.append(("searchCriteria[sortOrders][0][field]", sorting.field))
      query.append(("searchCriteria[sortOrders][0][direction]", sorting.isAscending ? "ASC" : "DESC"))
    }
    if let pageSize { query.append(("searchCriteria[pageSize]", "\(pageSize)")) }
    if let currentPage { query.append(("searchCriteria[currentPage]", "\(currentPage)")) }
    // Without any criterion the shop misses the parameter itself.
    if query.isEmpty { query.append(("searchCriteria", "")) }
    if let fields { query.append(("fields", fields)) }
    return query
  }
}
