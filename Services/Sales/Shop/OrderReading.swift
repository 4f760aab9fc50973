import Commerce
import ServiceKit

/// The ways in which the shop's orders are found.
enum OrderReading {
  /// Polls for what is new, and looks back by night.
  ///
  /// - Returns: nil without a shop.
  static func start(_ intake: OrderIntake, _ shop: Shop, of setup: inout ServiceSetup) -> ShopPoll? {
    guard let client = shop.client else { return nil }
    let loop = setup.group.next()
    let poll = ShopPoll(
      OrderIntake.subject(since: intake.since), of: shop, client, in: intake.export.store.database, loop: loop
    ) { try await intake.take($0) }
    poll.run(in: &setup)
    let nightly = NightlyReconciliation(intake: intake, client: client, pageSize: shop.pageSize)
    setup.run("nightly look at orders") { await nightly.run(on: loop) }
    return poll
  }
}
