/// An item that the shop can't show, while it shows others: an order whose payment module was taken out, a product with broken
/// attributes. Magento answers 500 for every page that holds it.
public struct UnreadableItem: Sendable, Equatable {
  /// The shop's id of it.
  public let id: Int64
  /// What the shop said of it alone.
  public let error: CommerceError
}

/// What a reading does about items that the shop can't show. As it is made: none is passed over.
///
/// An item is passed over when the shop fails on it alone, answers a search that finds nothing, goes on behind it, and shows some
/// other item. So a shop that is away is none whose items are passed over.
public struct PassedOver: Sendable, Equatable {
  /// How many may be, at most.
  public var limit: Int
  /// Known ones, which are not asked for: the shop would fail on each page that holds one.
  public var known: [Int64]

  public init(limit: Int = 0, known: [Int64] = []) {
    self.limit = limit
    self.known = known
  }

  func narrowing(_ criteria: SearchCriteria, _ id: ShopID) -> SearchCriteria {
    if known.isEmpty { return criteria }
    return criteria.where(id.field, .nin, known.map { "\($0)" }.joined(separator: ","))
  }
}

extension CommerceError {
  /// Whether a read of a list may fail so because of one item of it: with what Magento throws while it shows the item, which is 500,
  /// or 404 or 400 where there is a message for people; or with a notice of PHP before the JSON.
  var mayBeOfOneItem: Bool {
    switch kind {
    case .failed, .noAnswer, .unreadable: true
    case .refused: PageSize.limit(in: message) == nil
    case .notFound: !message.hasPrefix("Request does not match any route")
    case .unreachable, .unauthorized, .limited: false
    }
  }
}
