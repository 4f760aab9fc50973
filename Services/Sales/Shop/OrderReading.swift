import Commerce
import ServiceKit

/// The ways in which the shop's orders are found.
enum OrderReading {
  /// Orders that are asked for at a time. One of 20 lines is 75 KB of JSON, as the shop says each line twice: a page is a few
  /// megabytes, which are taken apart in the memory, and far from the parser's limits.
  static let pageSize = 50

  /// Polls for what is new, and looks back by night.
  ///
  /// - Returns: nil without a shop.
  static func start(_ intake: OrderIntake, _ shop: Shop, of setup: inout ServiceSetup) -> ShopPoll? {
    guard let client = shop.client else { return nil }
    let loop = setup.group.next()
    let pageSize = PageSize(pageSize)
    let poll = ShopPoll(
      OrderIntake.subject(since: intake.since), of: shop, client, in: intake.export.store.database, loop: loop,
      pageSize: pageSize
    ) { try await intake.take($0) }
    poll.run(in: &setup)
    let nightly = NightlyReconciliation(intake: intake, client: client, pageSize: pageSize, loop: loop)
    setup.run("nightly look at orders") { await nightly.run() }
    return poll
  }
}
