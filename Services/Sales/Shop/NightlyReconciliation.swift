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
  private static let place = PollPlace("orders by night")

  let intake: OrderIntake
  let client: CommerceClient
  let pageSize: PageSize
  let loop: EventLoop
  private let holder = String(UInt64.random(in: .min ... .max), radix: 36)

  init(intake: OrderIntake, client: CommerceClient, pageSize: PageSize, loop: EventLoop) {
    self.intake = intake
    self.client = client
    self.pageSize = pageSize
    self.loop = loop
  }

  func run() async {
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
    let last = try await database.read { try Self.place.read($0) }
    if let last, last >= night { return false }
    let done: Void? = try await Lease.held(Self.place.name, by: holder, for: Self.hold, in: database, on: loop) {
      lease in
      // Polling asks again for what the shop can't show.
      let unreadable = UnreadableItems(of: OrderIntake.pollName)
      try await client.readPages(
        "V1/orders", Self.criteria(last: last, now: now), pageSize: pageSize,
        passing: try await database.read { try unreadable.passing($0) }
      ) { page in
        try await unreadable.note(page.unreadable, in: database)
        try await intake.take(page.items)
        guard try await database.write({ try lease.renew($0, for: Self.hold) }) != nil else { throw LeaseLost() }
      }
      try await finish(now, lease)
    }
    return done != nil
  }

  private func finish(_ now: Int64, _ lease: Lease) async throws {
    try await intake.export.store.database.write { connection in
      guard try lease.renew(connection, for: Self.hold) != nil else { throw LeaseLost() }
      try Self.place.advance(to: now, connection)
    }
  }

  /// - Parameter last: when it was last done; nil for never. Both in seconds since 1970.
  static func criteria(last: Int64?, now: Int64) -> SearchCriteria {
    SearchCriteria().where("created_at", .gteq, ShopTime.text((last ?? now) - overlap))
  }

  /// When it was last to be done.
  static func lastNight(before now: Int64) -> Int64 {
    let (day, second) = now.quotientAndRemainder(dividingBy: 86_400)
    return (second < hour ? day - 1 : day) * 86_400 + hour
  }

  private struct LeaseLost: Error, CustomStringConvertible {
    var description: String { "another replica looks at the shop's orders now" }
  }
}
