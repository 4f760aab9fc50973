extension ShopPoll {
  /// How the last rounds went.
  public struct Status: Sendable, Equatable {
    /// Nanoseconds since 1970; nil before the first round that ended well.
    public var lastRead: Int64?
    /// Why the last round did not end; nil when it did.
    public var failure: String?
    /// The round that goes on; nil between rounds.
    public var round: Round?
  }

  /// How far a round is.
  public struct Round: Sendable, Equatable {
    /// Nanoseconds since 1970.
    public var startedAt: Int64
    /// Items that are read and taken over.
    public var read = 0
    /// Of the page that is being read the last try that has failed.
    public var pageFailure: PageFailure?
  }
}
