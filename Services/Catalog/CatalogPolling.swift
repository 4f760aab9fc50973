import Commerce
import ServiceKit
import Storage

/// What goes on by itself while a shop is configured.
struct CatalogPolling: Sendable {
  static let name = "products"

  let shop: Shop
  let intake: ShopIntake

  /// - Returns: the polling, for whoever wants to know how it goes.
  func run(in setup: inout ServiceSetup) -> ShopPoll {
    let (intake, loop, interval) = (intake, setup.group.next(), shop.pollInterval)
    let room = OutboxRoom(store: intake.store, loop: loop)
    let poll = ShopPoll(
      .init(name: Self.name, route: "V1/products", criteria: intake.reader.criteria, id: .product), of: shop,
      intake.reader.client,
      in: intake.store.database, loop: loop
    ) { items in
      // The first round reads the whole catalog.
      try await room.wait()
      try await intake.takePage(items)
    }
    poll.run(in: &setup)
    let mapped = MappedProducts(mapping: shop.mapping, store: intake.store)
    setup.run("shipping methods") {
      while !Task.isCancelled {
        do {
          let outcome = try await mapped.export(try await intake.reader.facts.current())
          if outcome.exported > 0 { intake.added() }
          return
        } catch is CancellationError {
          return
        } catch {
          Log.warning("shipping methods can't be exported yet", ["reason": LogValue(error)])
          await loop.sleep(for: interval)
        }
      }
    }
    return poll
  }
}
