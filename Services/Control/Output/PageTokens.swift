import RPC

/// Where a list goes on.
struct PageTokens {
  /// For the next request; empty at the start, and at the end.
  private(set) var next = ""
  private(set) var isAtEnd = false

  /// - Parameters:
  ///   - token: the last answer's.
  ///   - server: who answered, for the error.
  /// - Throws: INTERNAL when the list would never end.
  mutating func advance(to token: String, of server: String) throws(RPCError) {
    guard token.isEmpty || token != next else {
      throw RPCError(.internalError, "\(server) answers the same page again; the list above is not complete")
    }
    (next, isAtEnd) = (token, token.isEmpty)
  }
}
