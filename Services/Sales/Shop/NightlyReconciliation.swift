import Commerce
import EventLoop
import Messages
import ServiceKit
import Storage

/// Looks once a night at all orders of the last days, by when they were made: whatever polling has missed, be it for a clock that
/// went wrong or a row that the shop changed without saying when, is found (magento-rules.md §6, "New orders").
///
/// It goes back two days behind the last look, so that a service that was away for a week looks at all of it. Of several replicas
/// one does it.
struct NightlyReconciliation: Sendable {
  /// Seconds behind the last look.
  static let overlap: Int64 = 2 * 86_400
  /// Seconds after midnight, UTC.
  static let hour: Int64 = 2 * 3_600
  static let hold = Duration.seconds(120)
  static let interval = Duration.seconds(600)
  private static let place = "orders by night"

  let intake: OrderIntake
  let client: CommerceClient
  let pageSize: PageSize
  private let holder = String(UInt64.random(in: .min ... .max), radix: 36)

  init(intake: OrderIntake, client: CommerceClient, pageSize: PageSize) {
    self.intake = intake
    self.client = client
    self.pageSize = pageSize
  }

  func run(on loop: EventLoop) async {
    while !Task.isCancelled {
      do {
        try await round()
      } catch is CancellationError {
        return
      } catch {
        Log.warning("the nightly look at the shop's orders is tried again", ["reason": LogValue(error)])
      }
      await loop.sleep(for: Self.interval * Double.random(in: 0.8...1.2))
    }
  }

  /// Looks, if nobody has since last night.
  ///
  /// - Parameter now: seconds since 1970.
  /// - Returns: whether it looked.
  @discardableResult
  func round(now: Int64 = WallClock.nanoseconds() / 1_000_000_000) async throws -> Bool {
    let database = intake.export.store.database
    let night = Self.lastNight(before: now)
    let last = try await database.read { try Self.lastLook($0) }
    if let last, last >= night { return false }
    let holder = holder
    guard
      let lease = try await database.write({
        try Lease.acquire($0, key: Self.place, holder: holder, for: Self.hold)
      })
    else { return false }
    let since = (last ?? now) - Self.overlap
    let criteria = SearchCriteria().where("created_at", .gteq, ShopTime.text(since))
    try await client.readAll("V1/orders", criteria, pageSize: pageSize) { items, _ in
      try await intake.take(items)
      guard try await database.write({ try lease.renew($0, for: Self.hold) }) != nil else { throw LeaseLost() }
    }
    try await database.write { connection in
      guard try lease.renew(connection, for: Self.hold) != nil else { throw LeaseLost() }
      try connection.withStatement(
        """
        INSERT INTO shop_poll (name, read_until) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET read_until = excluded.read_until
        """
      ) { statement throws(StorageError) in
        try statement.bind(Self.place, at: 1)
        try statement.bind(now, at: 2)
        _ = try statement.run()
      }
      try lease.release(connection)
    }
    return true
  }

  /// When it was last to be done.
  static func lastNight(before now: Int64) -> Int64 {
    let (day, second) = now.quotientAndRemainder(dividingBy: 86_400)
    return (second < hour ? day - 1 : day) * 86_400 + hour
  }

  private static func lastLook(_ connection: Connection) throws -> Int64? {
    try connection.withStatement("SELECT read_until FROM shop_poll WHERE name = ?1") { statement in
      try statement.bind(place, at: 1)
      return try statement.step() ? statement.integer(0) : nil
    }
  }

  private struct LeaseLost: Error, CustomStringConvertible {
    var description: String { "another replica looks at the shop's orders now" }
  }
}
