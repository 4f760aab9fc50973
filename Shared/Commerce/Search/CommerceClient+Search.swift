import EventLoop
import Messages

extension CommerceClient {
  /// Reads all that criteria find, in the order of their ids, a page at a time.
  ///
  /// - Parameters:
  ///   - noting: told of each try of a page that has failed.
  ///   - page: gets each page's items and the id to go on after, in order.
  public func readAll(
    _ route: String, _ criteria: SearchCriteria, id: ShopID = .entity, after: Int64 = 0, store: String = "all",
    pageSize: PageSize, noting: ((PageFailure) -> Void)? = nil,
    _ page: (_ items: [JSONValue], _ last: Int64) async throws -> Void
  ) async throws {
    try await readPages(
      route, criteria, id: id, after: after, store: store, pageSize: pageSize, passing: PassedOver(), noting: noting
    ) { try await page($0.items, $0.last) }
  }

  /// The same, going on behind items that the shop can't show.
  ///
  /// - Parameters:
  ///   - passing: how many items may be passed over in all, and which are not asked for.
  ///   - page: gets each page that holds something, or has passed over something.
  public func readPages(
    _ route: String, _ criteria: SearchCriteria, id: ShopID = .entity, after: Int64 = 0, store: String = "all",
    pageSize: PageSize, passing: PassedOver, noting: ((PageFailure) -> Void)? = nil,
    _ page: (ShopPage) async throws -> Void
  ) async throws {
    var (last, passing) = (after, passing)
    while true {
      let next = try await readPage(
        route, criteria, id: id, after: last, store: store, pageSize: pageSize, passing: passing, noting: noting)
      if next.items.isEmpty && next.unreadable.isEmpty { return }
      last = next.last
      passing.limit -= next.unreadable.count
      try await page(next)
      if next.left == 0 { return }
    }
  }

  /// Reads the next page of all that criteria find, in the order of their ids.
  ///
  /// Pages are cut by id rather than by number: what is created, changed or deleted meanwhile moves nothing from one page to
  /// another. The end is where a page holds all that there is (`total_count`), never an empty page: one past the end repeats
  /// the last (magento2 issue 26986). A page size that the shop refuses (300 by default since 2.4.3) is lowered to what it
  /// says.
  ///
  /// - Parameters:
  ///   - id: the field that orders them.
  ///   - after: what was read last.
  ///   - passing: how many items that the shop can't show may be passed over, and which are not asked for; nothing otherwise.
  ///   - noting: told of each try that has failed. There may be many: with long time-outs a page can take minutes.
  public func readPage(
    _ route: String, _ criteria: SearchCriteria, id: ShopID = .entity, after: Int64, store: String = "all",
    pageSize: PageSize, passing: PassedOver = PassedOver(), noting: ((PageFailure) -> Void)? = nil
  ) async throws -> ShopPage {
    let list = ShopList(client: self, route: route, criteria: passing.narrowing(criteria, id), id: id, store: store)
    var last = after
    var unreadable: [UnreadableItem] = []
    while true {
      let (size, place) = (pageSize.current, last)
      var page: ShopPage
      do {
        page = try await list.page(after: place, size: size) { error in
          noting?(PageFailure(after: place, size: size, error: error))
        }
        pageSize.answered(size)
      } catch let error as CommerceError
        where pageSize.lower(after: error, from: size, forOneItem: unreadable.count < passing.limit)
      {
        continue
      } catch let error as CommerceError where size == 1 && unreadable.count < passing.limit && error.mayBeOfOneItem {
        guard let found = try await list.firstUnreadable(after: place) else { throw error }
        unreadable.append(UnreadableItem(id: found, error: error))
        last = found
        pageSize.restore()
        continue
      }
      if let first = unreadable.first {
        if page.items.isEmpty, try await !list.hasItem(besides: unreadable.map(\.id), passing) { throw first.error }
        page.unreadable = unreadable
      }
      return page
    }
  }
}

/// What orders the items of a list: a whole number, unique and never changed.
public struct ShopID: Sendable, Equatable, ExpressibleByStringLiteral {
  /// As criteria call it.
  let field: String
  /// As the items have it.
  let member: String

  /// - Parameter member: nil for the same as in criteria.
  public init(_ field: String, member: String? = nil) {
    self.field = field
    self.member = member ?? field
  }

  public init(stringLiteral field: String) { self.init(field) }

  public static let entity = ShopID("entity_id")
  /// Products are searched by `entity_id`, which is their `id`.
  public static let product = ShopID("entity_id", member: "id")
}

/// A try of a page that the shop did not answer.
public struct PageFailure: Sendable, Equatable, CustomStringConvertible {
  /// The id behind which the page begins.
  public let after: Int64
  /// How many items were asked for.
  public let size: Int
  public let error: CommerceError

  public var description: String { "the page of \(size) behind id \(after) could not be read: \(error)" }
}

/// A page of a list of the shop.
public struct ShopPage {
  public let items: [JSONValue]
  /// The id to go on after.
  public let last: Int64
  /// Items behind this page, as the shop says.
  public let left: Int
  /// Items before those of this page that the shop can't show.
  public internal(set) var unreadable: [UnreadableItem] = []

  init(_ answer: JSONValue, id: ShopID, after: Int64, request: String) throws(CommerceError) {
    func unreadable(_ reason: String) -> CommerceError {
      CommerceError(.unreadable, status: 200, request: request, reason)
    }
    guard let items = answer["items"]?.elements ?? (answer["items"]?.kind == .null ? [] : nil),
      let total = answer["total_count"]?.integer.flatMap({ Int(exactly: $0) })
    else { throw unreadable("items and total_count are missing") }
    guard (items.count...1_000_000_000).contains(total), !items.isEmpty || total == 0 else {
      throw unreadable("\(items.count) items, but total_count \(total)")
    }
    var last = after
    for item in items {
      guard let number = item[id.member]?.integer, number > last else {
        throw unreadable("an item without \(id.member) after \(last)")
      }
      last = number
    }
    self.items = items
    self.last = last
    left = max(0, total - items.count)
  }
}

/// How many items are asked for at a time; lowered to what the shop allows. Shared by all who read the same shop.
public final class PageSize: Sendable {
  private struct State {
    var size: Int
    /// What the shop allows, as far as known.
    var limit: Int
    /// Pages of the present size that the shop has answered.
    var answered = 0
  }

  private let state: Lock<State>

  public init(_ size: Int = 300) { state = Lock(State(size: max(size, 1), limit: max(size, 1))) }

  public var current: Int { state.withLock { $0.size } }

  /// Lowers the size when the error says that it was too large ("Maximum SearchCriteria pageSize is 300"), or halves it when
  /// the shop could not answer at all, or with more than is read at a time: then the page may have been too much for it, or
  /// for us.
  ///
  /// - Parameter forOneItem: whether it is halved, too, after an error that may be because of one item.
  /// - Returns: whether asking again with the lower size makes sense.
  func lower(after error: CommerceError, from used: Int, forOneItem: Bool = false) -> Bool {
    if error.kind == .refused, let allowed = Self.limit(in: error.message) {
      guard allowed < used else { return false }
      state.withLock { state in
        state.limit = min(state.limit, allowed)
        state.size = min(state.size, allowed)
        state.answered = 0
      }
      return true
    }
    let isTooMuch = error.kind == .failed || error.kind == .noAnswer
    guard used > Self.smallest, isTooMuch || (forOneItem && error.mayBeOfOneItem) else { return false }
    state.withLock { state in
      state.size = min(state.size, max(used / 2, Self.smallest))
      state.answered = 0
    }
    return true
  }

  /// A shop that was only away is asked for whole pages again, once it has answered some.
  func answered(_ used: Int) {
    state.withLock { state in
      guard state.size < state.limit, used == state.size else { return }
      state.answered += 1
      guard state.answered >= Self.pagesBeforeRaise else { return }
      state.size = min(state.size * 2, state.limit)
      state.answered = 0
    }
  }

  /// Smaller pages did not help: it was not their size.
  func restore() {
    state.withLock { state in
      state.size = state.limit
      state.answered = 0
    }
  }

  private static let pagesBeforeRaise = 5
  /// An item that the shop can't show is to be alone.
  private static let smallest = 1

  /// The number at the end of a message about page sizes.
  static func limit(in message: String) -> Int? {
    guard message.contains("pageSize") else { return nil }
    return message.split { !$0.isASCII || !$0.isNumber }.last.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
  }
}
