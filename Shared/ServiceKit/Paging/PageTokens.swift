import RPC

/// Where a list that a client reads page by page goes on.
public struct PageTokens: Sendable {
  /// For the next request; empty at the start, and at the end.
  public private(set) var next = ""
  public private(set) var isAtEnd = false

  public init() {}

  /// - Parameters:
  ///   - token: the last answer's.
  ///   - server: who answered, for the error.
  /// - Throws: INTERNAL when the list would never end.
  public mutating func advance(to token: String, of server: String) throws(RPCError) {
    guard token.isEmpty || token != next else {
      throw RPCError(.internalError, "\(server) answers the same page again; the list is not complete")
    }
    (next, isAtEnd) = (token, token.isEmpty)
  }

  /// Reads pages until there are no more, or as many rows as were asked for.
  ///
  /// - Parameters:
  ///   - limit: rows at most, above 0.
  ///   - pageSize: the most that the server gives at once.
  ///   - server: who answers, for the error.
  ///   - page: asks for at most `size` rows; `next` is the answer's `next_page_token`.
  /// - Returns: the rows, and the token of those behind them; empty when there are none.
  /// - Throws: what `page` throws, and INTERNAL when the list would never end.
  public static func collect<Row>(
    limit: Int = .max, pageSize: Int = PageRequest.sizes.largest, of server: String,
    page: (_ size: Int32, _ token: String) async throws -> (rows: [Row], next: String)
  ) async throws -> (rows: [Row], next: String) {
    var rows: [Row] = []
    var tokens = PageTokens()
    repeat {
      let answer = try await page(Int32(min(limit - rows.count, pageSize)), tokens.next)
      try tokens.advance(to: answer.next, of: server)
      rows += answer.rows
    } while !tokens.isAtEnd && rows.count < limit
    return (rows, tokens.next)
  }
}
