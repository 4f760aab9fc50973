import Commerce
import EventLoop
import Messages
import RPC
import ServiceKit
import Storage

/// Finds returns that were asked for in the shop, so that they go to the OMS by themselves.
struct ReturnPolling: Sendable {
  private let poll: ShopPoll
  private let shop: any ReturnShop
  private let interval: Duration
  private let loop: EventLoop
  private let runner: WorkRunner

  init(
    _ shop: Shop, _ client: CommerceClient, returns: any ReturnShop, authorize: AuthorizeReturn, in database: Database,
    loop: EventLoop
  ) {
    self.shop = returns
    self.loop = loop
    interval = shop.pollInterval
    let runner = WorkRunner(AuthorizeReturn.queue, in: database, loop: loop) { item in
      do {
        _ = try await authorize(Int64(item.key) ?? 0)
        return .done
      } catch let error as RPCError where error.code == .failedPrecondition || error.code == .notFound {
        return .parked(reason: error.message)
      }
    }
    self.runner = runner
    // A return has no time of change; what is read is asked for once.
    let subject = ShopPoll.Subject(
      name: "returns", route: "V1/returns", criteria: SearchCriteria().where("status", .eq, "pending"),
      changed: "date_requested")
    poll = ShopPoll(subject, of: shop, client, in: database, loop: loop) { items in
      let ids = try items.map { try ShopReturn($0) }.filter { !$0.isMadeHere }.map(\.rma.entityId)
      if ids.isEmpty { return }
      let store = ReturnStore()
      try await database.write(weight: ids.count) { connection in
        for id in ids where try store.find(entityID: id, connection) == nil {
          let key = "\(id)"
          // What can't be asked for stays with its reason until somebody asks by hand.
          if try AuthorizeReturn.queue.waiting(connection, key) == nil {
            try AuthorizeReturn.queue.add(connection, key)
          }
        }
      }
      runner.wake()
    }
  }

  func run(in setup: inout ServiceSetup) {
    runner.run(in: &setup)
    setup.run("poll: returns") {
      var failure: String?
      while !Task.isCancelled {
        do {
          if try await shop.hasReturns() { try await poll.round() }
          failure = nil
        } catch is CancellationError {
          return
        } catch {
          if failure == nil {
            Log.warning("the shop's returns can't be read; it is tried again", ["reason": LogValue(error)])
          }
          failure = "\(error)"
        }
        await loop.sleep(for: interval)
      }
    }
  }
}
