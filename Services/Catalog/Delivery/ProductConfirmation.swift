import EventLoop
import ServiceKit
import Storage

/// Which products the OMS has, for orders: it rejects one with a SKU that it does not know (connector.md §2.2), and nothing keeps an
/// order behind the message about its product, which has another key, another way to the OMS and another outbox.
///
/// A product is asked for when an order wants it and until the OMS has it; that is stored, so that later changes of it, and the
/// export of a whole catalog, cost nothing.
struct ProductConfirmation: Sendable {
  /// So many products are worth a question about all that waits; fewer are asked for one by one.
  static let many = 8
  /// Questions to the journal at the same time.
  static let concurrency = 16
  private static let firstPause = Duration.milliseconds(50)

  let store: CatalogStore
  let journal: any DeliveryJournal
  let loop: EventLoop
  /// A product that was exported just now is waited for, so that its order need not be tried again: so long.
  var patience = Duration.seconds(3)
  /// What counts as just now.
  var freshness = Duration.seconds(10)
  /// So long the journal is asked at most; the order service waits for 10 s.
  var limit = Duration.seconds(5)

  /// SKUs of those products that the OMS has not got, as far as can be known now.
  ///
  /// - Throws: `StorageError`. A gateway that does not answer is no error: nothing is confirmed then.
  func missing(among products: [CatalogRow]) async throws -> Set<String> {
    var missing = try await store.unconfirmed(products.map(\.sku))
    if missing.isEmpty { return [] }
    let freshSince = WallClock.nanoseconds() - Int64(clamping: freshness.nanoseconds)
    let fresh = Set(products.filter { $0.exportedAt > freshSince }.map(\.sku))
    let start = EventLoop.monotonicNanoseconds()
    var elapsed: Duration { .nanoseconds(Int64(EventLoop.monotonicNanoseconds() - start)) }
    var pause = Self.firstPause
    while true {
      let (found, isWhole) = try await delivered(missing) { elapsed < limit }
      try await store.confirm(found)
      missing.subtract(found)
      guard isWhole, !missing.isDisjoint(with: fresh), elapsed + pause < patience else { return missing }
      await loop.sleep(for: pause)
      pause *= 2
    }
  }

  /// - Returns: also whether the journal has answered for all of them.
  private func delivered(
    _ skus: Set<String>, while hasTime: () -> Bool
  ) async throws -> (found: Set<String>, isWhole: Bool) {
    // Before the journal is asked: a message is in it by the time that it has left the outbox.
    let waiting = try await store.waiting(skus)
    let through = await through(skus, waiting)
    let skus = skus.subtracting(through)
    return await withTaskGroup(of: (sku: String, delivery: ProductDelivery?).self) { group in
      var (found, isWhole) = (through, true)
      func take(_ answer: (sku: String, delivery: ProductDelivery?)?) {
        guard let answer else { return }
        switch answer.delivery {
        case .delivered: found.insert(answer.sku)
        case .undelivered: break
        case .unknown: if let waiting, !waiting.contains(answer.sku) { found.insert(answer.sku) }
        case nil: isWhole = false
        }
      }
      for (index, sku) in skus.sorted().enumerated() {
        if index >= Self.concurrency { take(await group.next()) }
        guard isWhole, hasTime() else {
          isWhole = false
          break
        }
        group.addTask { (sku, await ask(sku)) }
      }
      for await answer in group { take(answer) }
      return (found, isWhole)
    }
  }

  /// Those of many products that have left the outbox and that nothing waits for in the journal: usually all of them.
  private func through(_ skus: Set<String>, _ waiting: Set<String>?) async -> Set<String> {
    guard skus.count >= Self.many, let waiting else { return [] }
    do {
      guard let inJournal = try await journal.waiting() else { return [] }
      return skus.subtracting(waiting).subtracting(inJournal)
    } catch {
      Log.debug("the journal can't be asked for what waits", ["reason": LogValue(error)])
      return []
    }
  }

  private func ask(_ sku: String) async -> ProductDelivery? {
    do {
      return try await journal.delivery(of: sku)
    } catch {
      Log.debug("the journal can't be asked for a product", ["sku": LogValue(sku), "reason": LogValue(error)])
      return nil
    }
  }
}
