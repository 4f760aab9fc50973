import EventLoop
import Messages
import ServiceKit
import Storage

/// Reads again and again what has changed in the shop: no change is missed, also over restarts, and each may be seen several times.
///
/// Magento stamps `updated_at` in whole seconds when a statement runs, and shows the row when its transaction commits
/// (magento-rules.md §4). So each round begins 10 minutes before the end of the last one, and ends 5 s before now. What is seen
/// again has to change nothing: the reader compares contents.
///
/// The place is kept in the store; of several replicas one reads at a time.
public final class ShopPoll: Sendable {
  /// Where reading goes on, a step of the schema of each service that polls.
  public static let migration = Migration(
    "what has been read of the shop",
    sqlite: [
      """
      CREATE TABLE shop_poll (
        name TEXT NOT NULL PRIMARY KEY,
        read_until INTEGER NOT NULL -- seconds since 1970, UTC
      ) STRICT
      """
    ],
    postgresql: [
      """
      CREATE TABLE shop_poll (
        name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        read_until BIGINT NOT NULL
      )
      """
    ])

  /// What a poll reads.
  public struct Subject: Sendable {
    /// Names its place in the store.
    var name: String
    /// As in `V1/orders`.
    var route: String
    var criteria: SearchCriteria
    var id: ShopID
    /// The field by which a change is found.
    var changed: String
    var store: String

    public init(
      name: String, route: String, criteria: SearchCriteria = SearchCriteria(), id: ShopID = .entity,
      changed: String = "updated_at", store: String = "all"
    ) {
      self.name = name
      self.route = route
      self.criteria = criteria
      self.id = id
      self.changed = changed
      self.store = store
    }

    /// What one round reads.
    ///
    /// - Parameters:
    ///   - place: until when was read before, nil for never; both in seconds since 1970.
    func changed(from place: Int64?, until: Int64) -> SearchCriteria {
      let criteria = criteria.where(changed, .lteq, ShopTime.text(until))
      guard let place else { return criteria }
      return criteria.where(changed, .gteq, ShopTime.text(place - ShopPoll.overlap))
    }
  }

  /// How the last rounds went.
  public struct Status: Sendable, Equatable {
    /// Nanoseconds since 1970; nil before the first round that ended well.
    public var lastRead: Int64?
    /// Why the last round did not end; nil when it did.
    public var failure: String?
  }

  /// Magento's transactions may take that long.
  static let overlap: Int64 = 600
  /// Of the shop's clock, seconds.
  static let margin: Int64 = 5
  /// How long a dead replica keeps the others from reading.
  static let hold = Duration.seconds(60)

  public typealias Reader = @Sendable (_ items: [JSONValue]) async throws -> Void

  private let subject: Subject
  private let shop: Shop
  private let client: CommerceClient
  private let database: Database
  private let loop: EventLoop
  private let pageSize: PageSize
  private let reader: Reader
  private let holder = String(UInt64.random(in: .min ... .max), radix: 36)
  private let state = Lock(Status())

  /// - Parameters:
  ///   - database: with ``migration`` and ``Lease/migration`` in its schema.
  ///   - pageSize: the shop's when nil; for items that are large, a smaller one.
  ///   - reader: takes a page's items over, durably, before it returns; what throws is read again.
  public init(
    _ subject: Subject, of shop: Shop, _ client: CommerceClient, in database: Database, loop: EventLoop,
    pageSize: PageSize? = nil, reader: @escaping Reader
  ) {
    self.subject = subject
    self.shop = shop
    self.client = client
    self.database = database
    self.loop = loop
    self.pageSize = pageSize ?? shop.pageSize
    self.reader = reader
  }

  public var status: Status { state.withLock { $0 } }

  /// Adds the polling to what goes on while the service runs.
  public func run(in setup: inout ServiceSetup) {
    setup.run("poll: \(subject.name)") { [self] in
      while !Task.isCancelled {
        await attempt()
        await loop.sleep(for: shop.pollInterval)
      }
    }
  }

  private func attempt() async {
    do {
      try await round()
      state.withLock { status in
        if status.failure != nil { Log.info("the shop is read again", ["poll": "\(subject.name)"]) }
        status = Status(lastRead: WallClock.nanoseconds(), failure: nil)
      }
    } catch is CancellationError {
      return
    } catch {
      let isNews = state.withLock { status in
        defer { status.failure = "\(error)" }
        return status.failure == nil
      }
      if isNews {
        Log.warning(
          "the shop can't be read; it is tried again", ["poll": "\(subject.name)", "reason": LogValue(error)])
      }
    }
  }

  /// Reads all that has changed since the last round.
  ///
  /// - Parameter now: seconds since 1970.
  /// - Returns: false when another replica is at it.
  @discardableResult
  public func round(now: Int64 = WallClock.nanoseconds() / 1_000_000_000) async throws -> Bool {
    let (key, holder) = ("poll \(subject.name)", holder)
    let acquired = try await database.write { try Lease.acquire($0, key: key, holder: holder, for: Self.hold) }
    guard let lease = acquired else { return false }
    let until = now - Self.margin
    try await client.readAll(
      subject.route, subject.changed(from: try await place(), until: until), id: subject.id, store: subject.store,
      pageSize: pageSize
    ) { items, _ in
      try await reader(items)
      try await renew(lease)
    }
    let name = subject.name
    try await database.write { connection in
      guard try lease.renew(connection, for: Self.hold) != nil else { throw LeaseLost(name: name) }
      try connection.withStatement(
        """
        INSERT INTO shop_poll (name, read_until) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET read_until = excluded.read_until WHERE excluded.read_until > shop_poll.read_until
        """
      ) { statement in
        try statement.bind(name, at: 1)
        try statement.bind(until, at: 2)
        _ = try statement.run()
      }
      try lease.release(connection)
    }
    return true
  }

  private func renew(_ lease: Lease) async throws {
    let renewed = try await database.write { try lease.renew($0, for: Self.hold) }
    if renewed == nil { throw LeaseLost(name: subject.name) }
  }

  /// Seconds since 1970; nil before the first round.
  private func place() async throws -> Int64? {
    let name = subject.name
    return try await database.read { connection in
      try connection.withStatement("SELECT read_until FROM shop_poll WHERE name = ?1") { statement in
        try statement.bind(name, at: 1)
        return try statement.step() ? statement.integer(0) : nil
      }
    }
  }

  private struct LeaseLost: Error, CustomStringConvertible {
    let name: String
    var description: String { "another replica reads \(name) now" }
  }
}
