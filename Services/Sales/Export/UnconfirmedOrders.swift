import EventLoop
import ServiceKit
import Storage

/// Looks for orders that were sent and that the OMS has not confirmed in time: they need an operator, and may be sent again
/// (magento-rules.md §6, "Rejected by the OMS").
struct UnconfirmedOrders: Sendable {
  /// Orders of one transaction.
  static let batch = 200

  let store: SalesStore
  /// After an order was sent.
  let timeout: Duration

  /// - Parameter now: nanoseconds since 1970.
  /// - Returns: how many there were.
  @discardableResult
  func round(now: Int64 = WallClock.nanoseconds()) async throws -> Int {
    let (store, timeout) = (store, timeout)
    let reason =
      "the OMS has not confirmed it within \(DurationText.format(timeout)); see whether it has it, "
      + "then send it again: omsctl orders export"
    var count = 0
    while true {
      let ids = try await store.database.write(weight: Self.batch) { connection in
        try store.markUnconfirmed(
          connection, sentBefore: now - Int64(clamping: timeout.nanoseconds), limit: Self.batch, reason: reason,
          now: now)
      }
      for id in ids { Log.error("order not confirmed", ["order": "\(id)", "reason": "\(reason)"]) }
      count += ids.count
      if ids.count < Self.batch { return count }
    }
  }

  func run(on loop: EventLoop) async {
    let interval = min(timeout / 10, .seconds(30))
    while !Task.isCancelled {
      do {
        try await round()
      } catch {
        Log.warning("orders without a confirmation can't be looked for", ["reason": LogValue(error)])
      }
      await loop.sleep(for: interval)
    }
  }
}
