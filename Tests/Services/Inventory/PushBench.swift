import Commerce
import EventLoop
import RPC
import ServiceKit
import Storage
import TestSupport

@testable import Inventory

/// A store whose aggregate EU-WEB goes to a shop, and a replica that pushes it.
final class PushBench: Sendable {
  static let targets = ["EU-WEB": PushTarget(website: "base", source: "berlin")]

  let stock: TemporaryStock
  let shop: PushedShop
  let units: TestUnits
  let pusher: StockPusher
  private let clock: TestClock

  init(_ engine: TestEngine = .sqlite, _ shop: PushedShop) async throws {
    stock = try TemporaryStock(engine)
    self.shop = shop
    units = TestUnits()
    clock = TestClock()
    pusher = Self.pusher(stock, shop, units, clock, Self.targets)
    try await stock.database.write { try PushQueue.setTargets(Self.targets, $0) }
  }

  private static func pusher(
    _ stock: TemporaryStock, _ shop: PushedShop, _ units: TestUnits, _ clock: TestClock,
    _ targets: [String: PushTarget]
  ) -> StockPusher {
    StockPusher(
      database: stock.database, targets: targets, client: shop.client, inventory: ShopInventoryReader(shop.client),
      units: units, now: { clock.nanoseconds })
  }

  /// Of a replica with another mapping file.
  func pusher(with targets: [String: PushTarget]) -> StockPusher { Self.pusher(stock, shop, units, clock, targets) }

  /// SKUs of one partition.
  static func skus(_ count: Int, part: Int = 0) -> [String] {
    var skus: [String] = []
    var number = 0
    while skus.count < count {
      if StockPartition.of("s\(number)") == part { skus.append("s\(number)") }
      number += 1
    }
    return skus
  }

  func advance(by nanoseconds: Int64) { clock.advance(by: nanoseconds) }

  /// Works on what waits, once each, and notes how that ended. What is to be tried again later is due again at once.
  @discardableResult
  func push(_ pusher: StockPusher? = nil) async throws -> [WorkOutcome] {
    var outcomes: [WorkOutcome] = []
    for item in try await claim() {
      let outcome = await (pusher ?? self.pusher).push(item)
      outcomes.append(outcome)
      try await stock.database.write { connection in
        switch outcome {
        case .done: try PushQueue.work.finish(connection, item)
        case .again(_, let reason), .unsettled(_, let reason):
          try PushQueue.work.retry(connection, item, after: .zero, reason: reason)
        case .parked(let reason): try PushQueue.work.park(connection, item, reason: reason)
        }
      }
    }
    return outcomes
  }

  func claim() async throws -> [WorkItem] {
    try await stock.database.write {
      try PushQueue.work.claim($0, limit: StockPartition.count, holder: "test", for: .seconds(60))
    }
  }

  func status() async throws -> PushStatus {
    try await stock.database.read { try PushQueue.statuses($0) }.first { $0.aggregateId == "EU-WEB" }
      ?? PushStatus(aggregateId: "")
  }

  func bulk(part: Int = 0) async throws -> OpenBulk? {
    try await stock.database.read { try PushQueue.bulk(PushKey("EU-WEB", part), $0) }
  }

  func stop() async {
    await shop.stop()
    await stock.database.close()
  }
}

/// Open units as the test says; none at first.
final class TestUnits: OpenUnitsSource {
  private let known = Lock<[String: [OpenUnits]]?>([:])

  /// - Parameter units: nil when they are not to be had.
  func set(_ units: [String: [OpenUnits]]?) { known.withLock { $0 = units } }

  func openUnits(of skus: [String]) async throws -> [String: [OpenUnits]] {
    guard let known = known.withLock({ $0 }) else { throw RPCError(.unavailable, "sales is away") }
    return known.filter { skus.contains($0.key) }
  }
}

private final class TestClock: Sendable {
  private let ahead = Lock<Int64>(0)
  var nanoseconds: Int64 { WallClock.nanoseconds() + ahead.withLock { $0 } }
  func advance(by nanoseconds: Int64) { ahead.withLock { $0 += nanoseconds } }
}
