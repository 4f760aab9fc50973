extension Outbox {
  /// Messages that are counted at most: the outbox of a service whose gateway is away may have millions.
  public static let countLimit = 10_000

  /// What waits in an outbox.
  public struct Depth: Sendable, Equatable {
    /// Messages for the gateway, at most ``Outbox/countLimit``.
    public var waiting: Int
    /// There are more.
    public var isMore: Bool
    /// When the oldest of them was added, in nanoseconds since 1970; nil when there is none.
    public var oldestCreatedAt: Int64?
    /// Messages that the gateway refused and nobody has done anything about, at most ``Outbox/countLimit``.
    public var refused: Int

    public init(waiting: Int, isMore: Bool, oldestCreatedAt: Int64?, refused: Int) {
      self.waiting = waiting
      self.isMore = isMore
      self.oldestCreatedAt = oldestCreatedAt
      self.refused = refused
    }
  }

  /// How much waits, and since when.
  public func depth(_ connection: Connection) throws -> Depth {
    let waiting = try count("SELECT id FROM outbox ORDER BY id", connection)
    let refused = try count("SELECT id FROM outbox_refused WHERE state = 1 ORDER BY id", connection)
    let oldest = try connection.withStatement("SELECT created_at FROM outbox ORDER BY id LIMIT 1") { statement in
      try statement.step() ? statement.integer(0) : nil
    }
    return Depth(
      waiting: min(waiting, Self.countLimit), isMore: waiting > Self.countLimit, oldestCreatedAt: oldest,
      refused: min(refused, Self.countLimit))
  }

  private func count(_ rows: String, _ connection: Connection) throws -> Int {
    try connection.withStatement("SELECT count(*) FROM (\(rows) LIMIT ?1) AS part") { statement in
      try statement.bind(Int64(Self.countLimit) + 1, at: 1)
      return try statement.step() ? Int(statement.integer(0)) : 0
    }
  }
}
