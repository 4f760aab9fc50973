import Commerce
import EventLoop
import RPC
import ServiceKit
import Storage

/// Pushing stock to the shop, as a part of the service.
struct StockPush: Sendable {
  /// Between two tries of what the shop refused: a product may have come meanwhile.
  static let failedPause = Duration.seconds(3600)

  let shop: Shop
  let targets: [String: PushTarget]
  /// nil without a shop.
  let inventory: ShopInventoryReader?
  /// What the shop takes at once.
  let limits = PushLimits()
  private let work: WorkRunner?
  private let all: WorkRunner?
  /// nil without a shop.
  let check: ShopStockCheck?

  /// - Parameters:
  ///   - units: who knows the units of open orders.
  ///   - checkInterval: how often the shop's stock is compared with what it was told.
  init(
    _ shop: Shop, in database: Database, loop: EventLoop, units: any OpenUnitsSource, checkInterval: Duration
  ) {
    self.shop = shop
    guard let client = shop.client else {
      (targets, inventory, work, all, check) = ([:], nil, nil, nil, nil)
      return
    }
    targets = shop.mapping.aggregates.mapValues { PushTarget(website: $0.website, source: $0.source) }
    let inventory = ShopInventoryReader(client)
    self.inventory = inventory
    let pusher = StockPusher(
      database: database, targets: targets, client: client, inventory: inventory, units: units,
      limits: limits)
    var options = WorkRunner.Options()
    options.hold = StockPusher.hold
    let work = WorkRunner(PushQueue.work, in: database, loop: loop, options: options) { await pusher.push($0) }
    let marking = MarkAll(database: database) { work.wake() }
    self.work = work
    all = WorkRunner(PushQueue.all, in: database, loop: loop) { try await marking.mark($0) }
    var checking = ShopStockCheck.Options()
    checking.interval = checkInterval
    checking.pause = min(shop.pollInterval * 2, ShopStockCheck.longestPause)
    check = ShopStockCheck(
      database: database, targets: targets, inventory: inventory,
      comparison: StockComparison(client: client, units: units), options: checking, loop: loop
    ) { work.wake() }
  }

  /// Says that rows were marked, after they have committed.
  func wake() {
    work?.wake()
    all?.wake()
  }

  func run(in setup: inout ServiceSetup, _ database: Database) {
    let (targets, loop) = (targets, setup.group.next())
    setup.run("stock push: targets") {
      while !Task.isCancelled {
        do {
          try await database.write { try PushQueue.setTargets(targets, $0) }
          wake()
          break
        } catch {
          Log.warning("the targets of stock can't be noted; it is tried again", ["reason": LogValue(error)])
          await loop.sleep(for: .seconds(5))
        }
      }
      while !Task.isCancelled {
        await loop.sleep(for: Self.failedPause * Double.random(in: 0.8...1.2))
        await retryFailed(database, loop)
      }
    }
    work?.run(in: &setup)
    all?.run(in: &setup)
    check?.run(in: &setup)
  }

  private func retryFailed(_ database: Database, _ loop: EventLoop) async {
    do {
      while !Task.isCancelled, try await database.write(weight: 500, { try PushQueue.retryFailed($0, limit: 500) }) {
        await loop.sleep(for: .milliseconds(20))
      }
      wake()
    } catch {
      Log.warning("refused stock is not tried again now", ["reason": LogValue(error)])
    }
  }
}
