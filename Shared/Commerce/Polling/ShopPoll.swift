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
  /// What a poll reads.
  public struct Subject: Sendable {
    /// Names its place in the store.
    var name: String
    var place: PollPlace { PollPlace(name) }
    /// As in `V1/orders`.
    var route: String
    var criteria: SearchCriteria
    /// In their place, what the first round asks for; nil for the same. Of a shop's history most can matter only when it was read
    /// before.
    var firstCriteria: SearchCriteria?
    var id: ShopID
    /// The field by which a change is found.
    var changed: String
    var store: String

    public init(
      name: String, route: String, criteria: SearchCriteria = SearchCriteria(), firstCriteria: SearchCriteria? = nil,
      id: ShopID = .entity, changed: String = "updated_at", store: String = "all"
    ) {
      self.name = name
      self.route = route
      self.criteria = criteria
      self.firstCriteria = firstCriteria
      self.id = id
      self.changed = changed
      self.store = store
    }

    /// What one round reads.
    ///
    /// - Parameters:
    ///   - place: until when was read before, nil for never; both in seconds since 1970.
    func changed(from place: Int64?, until: Int64) -> SearchCriteria {
      let asked = place == nil ? firstCriteria ?? criteria : criteria
      let criteria = asked.where(changed, .lteq, ShopTime.text(until))
      guard let place else { return criteria }
      return criteria.where(changed, .gteq, ShopTime.text(place - ShopPoll.overlap))
    }
  }

  /// Magento's transactions may take that long.
  static let overlap: Int64 = 600
  /// Of the shop's clock, seconds.
  static let margin: Int64 = 5
  /// How long a dead replica keeps the others from reading. One that lives renews the lease however long the shop takes.
  public static let hold = Duration.seconds(60)

  public typealias Reader = @Sendable (_ items: [JSONValue]) async throws -> Void

  private let subject: Subject
  private let shop: Shop
  private let client: CommerceClient
  private let database: Database
  private let loop: EventLoop
  private let pageSize: PageSize
  private let hold: Duration
  private let reader: Reader
  private let holder = String(UInt64.random(in: .min ... .max), radix: 36)
  private let state = Lock(Status())

  /// - Parameters:
  ///   - database: with ``PollPlace/migration``, ``UnreadableItems/migration`` and ``Lease/migration`` in its schema.
  ///   - pageSize: the shop's when nil; for items that are large, a smaller one.
  ///   - reader: takes a page's items over, durably, before it returns; what throws is read again.
  public init(
    _ subject: Subject, of shop: Shop, _ client: CommerceClient, in database: Database, loop: EventLoop,
    pageSize: PageSize? = nil, hold: Duration = ShopPoll.hold, reader: @escaping Reader
  ) {
    self.subject = subject
    self.shop = shop
    self.client = client
    self.database = database
    self.loop = loop
    self.pageSize = pageSize ?? shop.pageSize
    self.hold = hold
    self.reader = reader
  }

  public var status: Status { state.withLock { $0 } }

  /// What the shop could not show, by whichever replica it was asked.
  func unreadable() async throws -> [UnreadableItems.Noted] {
    let items = UnreadableItems(of: subject.name)
    return try await database.read { try items.all($0) }
  }

  /// Adds the polling to what goes on while the service runs.
  ///
  /// - Parameter isWanted: asked before each round; false leaves it out.
  public func run(in setup: inout ServiceSetup, when isWanted: @escaping @Sendable () async throws -> Bool = { true }) {
    setup.run("poll: \(subject.name)") { [self] in
      while !Task.isCancelled {
        await attempt(when: isWanted)
        await loop.sleep(for: shop.pollInterval)
      }
    }
  }

  func attempt(when isWanted: () async throws -> Bool = { true }) async {
    do {
      // Of a round that another replica makes this one knows nothing.
      guard try await isWanted(), try await round() else { return }
      state.withLock { status in
        if status.failure != nil { Log.info("the shop is read again", ["poll": "\(subject.name)"]) }
        status = Status(lastRead: WallClock.nanoseconds())
      }
    } catch is CancellationError {
      return
    } catch {
      let isNews = state.withLock { status in
        // The shop's error says nothing of the page.
        let failure = status.round?.pageFailure.flatMap { $0.error == error as? CommerceError ? "\($0)" : nil }
        defer { status = Status(lastRead: status.lastRead, failure: failure ?? "\(error)") }
        return status.failure == nil
      }
      if isNews {
        Log.warning(
          "the shop can't be read; it is tried again", ["poll": "\(subject.name)", "reason": LogValue(error)])
      }
    }
  }

  /// Reads all that has changed since the last round. ``status`` tells how it goes.
  ///
  /// - Parameter now: seconds since 1970.
  /// - Returns: false when another replica is at it.
  @discardableResult
  public func round(now: Int64 = WallClock.nanoseconds() / 1_000_000_000) async throws -> Bool {
    let done: Void? = try await Lease.held("poll \(subject.name)", by: holder, for: hold, in: database, on: loop) {
      lease in
      state.withLock { $0.round = Round(startedAt: WallClock.nanoseconds()) }
      let (until, place) = (now - Self.margin, try await database.read { [subject] in try subject.place.read($0) })
      let readUntil = place == nil && subject.firstCriteria != nil ? try await firstBegun(until) : until
      try await read(from: place, until: until, lease)
      try await finish(until: readUntil, lease)
    }
    return done != nil
  }

  private func read(from place: Int64?, until: Int64, _ lease: Lease) async throws {
    let unreadable = UnreadableItems(of: subject.name)
    try await client.readPages(
      subject.route, subject.changed(from: place, until: until), id: subject.id, store: subject.store,
      pageSize: pageSize, passing: try await database.read { try unreadable.passing($0) },
      noting: { failure in self.state.withLock { $0.round?.pageFailure = failure } }
    ) { page in
      try await unreadable.note(page.unreadable, in: database)
      if !page.items.isEmpty { try await reader(page.items) }
      try await renew(lease)
      state.withLock { status in
        status.round?.read += page.items.count
        status.round?.pageFailure = nil
      }
    }
    try await unreadable.readAgain(subject, client, in: database, reader)
  }

  private func finish(until: Int64, _ lease: Lease) async throws {
    let (subject, hold) = (subject, hold)
    try await database.write { connection in
      guard try lease.renew(connection, for: hold) != nil else { throw LeaseLost(name: subject.name) }
      try subject.place.advance(to: until, connection)
    }
  }

  /// Until when a first round reads that leaves something out; when one before was not ended, until when that one did: of what it
  /// has read anything may have changed since.
  private func firstBegun(_ until: Int64) async throws -> Int64 {
    let first = PollPlace("\(subject.name), first round")
    return try await database.write { connection in
      if let begun = try first.read(connection) { return min(begun, until) }
      try first.advance(to: until, connection)
      return until
    }
  }

  private func renew(_ lease: Lease) async throws {
    let hold = hold
    let renewed = try await database.write { try lease.renew($0, for: hold) }
    if renewed == nil { throw LeaseLost(name: subject.name) }
  }

  private struct LeaseLost: Error, CustomStringConvertible {
    let name: String
    var description: String { "another replica reads \(name) now" }
  }
}
