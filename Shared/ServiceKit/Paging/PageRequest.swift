import RPC

/// The page of a list that a client asks for (AIP-158).
///
///     let request = try PageRequest(size: message.pageSize, token: message.pageToken, of: "products")
///     let (rows, next) = request.page(try await store.rows(after: request.place, limit: request.limit + 1), place: \.sku)
public struct PageRequest: Sendable {
  /// Rows of a page when the client names no number, and the most.
  public static let sizes = (standard: 100, largest: 1_000)

  /// Rows at most.
  public let limit: Int
  /// What the page before ended with; empty for the first page.
  public let place: String
  /// As the client sent it.
  private let token: String
  private let list: String

  /// - Parameters:
  ///   - size, token: `page_size` and `page_token`.
  ///   - list: what is listed: a parent, a filter. A token of another one is refused.
  /// - Throws: INVALID_ARGUMENT.
  public init(size: Int32, token: String, of list: String) throws(RPCError) {
    if size < 0 {
      throw .invalid(field: "page_size", "page_size \(size) is negative; send 0 for \(Self.sizes.standard)")
    }
    limit = size == 0 ? Self.sizes.standard : min(Int(size), Self.sizes.largest)
    self.list = list
    self.token = token
    guard !token.isEmpty else {
      place = ""
      return
    }
    guard let place = PageToken.decode(token, of: list) else { throw Self.foreign(token) }
    self.place = place
  }

  /// The place in a list in the order of time; nil for the first page.
  ///
  /// - Throws: INVALID_ARGUMENT when the place is none that ``timed(_:_:)`` has written.
  public func timedPlace() throws(RPCError) -> (at: Int64, key: String)? {
    try place { place in
      guard let blank = place.firstIndex(of: " "), let at = Int64(place[..<blank]) else { return nil }
      return (at, String(place[place.index(after: blank)...]))
    }
  }

  /// The place as what a service makes of it; nil for the first page.
  ///
  /// - Parameter parse: nil for what is no place of the list.
  /// - Throws: INVALID_ARGUMENT when the place is none.
  public func place<Place>(_ parse: (String) -> Place?) throws(RPCError) -> Place? {
    if place.isEmpty { return nil }
    guard let found = parse(place) else { throw Self.foreign(token) }
    return found
  }

  /// A place in a list in the order of time.
  ///
  /// - Parameters:
  ///   - at: nanoseconds since 1970.
  ///   - key: tells apart what has the same time.
  public static func timed(_ at: Int64, _ key: String) -> String { "\(at) \(key)" }

  /// The token of the page behind a place.
  public func token(after place: String) -> String { PageToken.encode(after: place, of: list) }

  /// The rows of this page and the token of the next one, which is empty on the last.
  ///
  /// - Parameters:
  ///   - rows: those found, one more than ``limit`` when a page follows.
  ///   - place: of a row; not empty.
  public func page<Row>(_ rows: [Row], place: (Row) -> String) -> (rows: ArraySlice<Row>, next: String) {
    let page = rows.prefix(limit)
    guard rows.count > limit, let last = page.last else { return (page, "") }
    return (page, token(after: place(last)))
  }

  private static func foreign(_ token: String) -> RPCError {
    .invalid(
      field: "page_token",
      "page_token \"\(quotable(token))\" is no next_page_token of this list; send one unchanged, or none for the first page"
    )
  }
}
