import Messages
import ServiceKit
import Storage

/// The items of a route that the shop could not show when they were read: noted, left out of what is read next, and asked for by
/// themselves in each round until the shop shows them.
public struct UnreadableItems: Sendable {
  /// A step of the schema of each service that polls.
  public static let migration = Migration(
    "what the shop can't show",
    sqlite: [
      """
      CREATE TABLE shop_unreadable (
        name TEXT NOT NULL, -- of the poll
        id INTEGER NOT NULL, -- the shop's
        reason TEXT NOT NULL,
        found_at INTEGER NOT NULL, -- nanoseconds since 1970, UTC
        tried_at INTEGER NOT NULL,
        PRIMARY KEY (name, id)
      ) STRICT, WITHOUT ROWID
      """
    ],
    postgresql: [
      """
      CREATE TABLE shop_unreadable (
        name TEXT COLLATE "C" NOT NULL,
        id BIGINT NOT NULL,
        reason TEXT NOT NULL,
        found_at BIGINT NOT NULL,
        tried_at BIGINT NOT NULL,
        PRIMARY KEY (name, id)
      )
      """
    ])

  public static let placements: [String: Placement] = ["shop_unreadable": .everywhere]

  /// So many are passed over in one round, and asked for again in one. With more, something else is wrong with the shop, and the
  /// round fails.
  static let perRound = 10
  /// So many are noted. What is more is not passed over.
  static let limit = 100
  static let reasonLength = 500

  /// An item as it is noted.
  public struct Noted: Sendable, Equatable {
    public let id: Int64
    /// Why the shop could not show it when it was last asked for.
    public let reason: String
    /// Nanoseconds since 1970.
    public let foundAt: Int64
  }

  /// The poll's.
  let name: String

  /// - Parameter name: of the poll that asks for them again, as in ``ShopPoll/Subject``.
  public init(of name: String) { self.name = name }

  /// What a reading is to do: those that are noted are not asked for.
  public func passing(_ connection: Connection) throws -> PassedOver {
    let known = try all(connection).map(\.id)
    return PassedOver(limit: max(0, min(Self.perRound, Self.limit - known.count)), known: known)
  }

  /// Notes what a page has passed over, and says it in the log.
  public func note(_ items: [UnreadableItem], in database: Database) async throws {
    if items.isEmpty { return }
    try await database.write { try note(items, $0) }
    log(items)
  }

  /// Notes what a page has passed over.
  public func note(_ items: [UnreadableItem], _ connection: Connection) throws {
    let now = WallClock.nanoseconds()
    for item in items {
      try connection.withStatement(
        """
        INSERT INTO shop_unreadable (name, id, reason, found_at, tried_at) VALUES (?1, ?2, ?3, ?4, ?4)
        ON CONFLICT (name, id) DO UPDATE SET reason = excluded.reason, tried_at = excluded.tried_at
        """
      ) { statement in
        try statement.bind(name, at: 1)
        try statement.bind(item.id, at: 2)
        try statement.bind(String("\(item.error)".prefix(Self.reasonLength)), at: 3)
        try statement.bind(now, at: 4)
        _ = try statement.run()
      }
    }
  }

  /// Says in the log what a page has passed over.
  public func log(_ items: [UnreadableItem]) {
    for item in items {
      Log.error(
        "the shop can't show an item, which is passed over and asked for again",
        ["poll": "\(name)", "id": LogValue(item.id), "reason": LogValue(item.error)])
    }
  }

  /// In the order of their ids.
  public func all(_ connection: Connection) throws -> [Noted] {
    try rows("ORDER BY id", limit: Self.limit * 2, connection)
  }

  /// Those that were not asked for the longest time.
  func due(_ connection: Connection) throws -> [Noted] {
    try rows("ORDER BY tried_at, id", limit: Self.perRound, connection)
  }

  private func rows(_ order: String, limit: Int, _ connection: Connection) throws -> [Noted] {
    try connection.withStatement(
      "SELECT id, reason, found_at FROM shop_unreadable WHERE name = ?1 \(order) LIMIT ?2"
    ) { statement in
      try statement.bind(name, at: 1)
      try statement.bind(Int64(limit), at: 2)
      var found: [Noted] = []
      while try statement.step() {
        found.append(Noted(id: statement.integer(0), reason: statement.text(1), foundAt: statement.integer(2)))
      }
      return found
    }
  }

  func forget(_ id: Int64, _ connection: Connection) throws {
    try connection.withStatement("DELETE FROM shop_unreadable WHERE name = ?1 AND id = ?2") { statement in
      try statement.bind(name, at: 1)
      try statement.bind(id, at: 2)
      _ = try statement.run()
    }
  }
}

extension UnreadableItems {
  /// Asks for those that are noted, one by one. What the shop shows again is taken over and forgotten, as is what it doesn't have any
  /// more.
  ///
  /// - Parameter reader: as that of ``ShopPoll``.
  func readAgain(
    _ subject: ShopPoll.Subject, _ client: CommerceClient, in database: Database, _ reader: ShopPoll.Reader
  ) async throws {
    for item in try await database.read({ try due($0) }) {
      var criteria = subject.criteria.where(subject.id.field, .eq, "\(item.id)")
      criteria.pageSize = 1
      criteria.currentPage = 1
      do {
        let answer = try await client.getJSON(subject.route, criteria.query, store: subject.store, tries: 1).root
        let page = try ShopPage(answer, id: subject.id, after: 0, request: "GET \(subject.route)")
        if !page.items.isEmpty { try await reader(page.items) }
        try await database.write { try forget(item.id, $0) }
        Log.info("the shop shows an item again", ["poll": "\(name)", "id": LogValue(item.id)])
      } catch let error as CommerceError where error.mayBeOfOneItem {
        try await database.write { try note([UnreadableItem(id: item.id, error: error)], $0) }
        // The others would take as long.
        if error.kind == .noAnswer { return }
      }
    }
  }
}
