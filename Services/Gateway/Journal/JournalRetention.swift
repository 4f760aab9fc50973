import ServiceKit
import Storage

/// Deletes messages that ended long ago, a few at a time, so that no writer waits. What waits is never deleted. Several gateways on
/// a store do it side by side: what one has deleted the others don't find.
struct JournalRetention: Sendable {
  /// Between two rounds.
  static let interval = Duration.seconds(600)
  /// Messages of one transaction.
  static let batch = 200

  let store: JournalStore
  let days: Int

  /// Deletes until the task is cancelled.
  func run() async {
    var clock = ConfirmedClock()
    while !Task.isCancelled {
      // By a clock that has leapt, everything is old.
      let reading = clock.read()
      if reading.isConfirmed { await delete(now: WallTime(nanoseconds: reading.time)) }
      do {
        try await Task.sleep(for: Self.interval)
      } catch {
        return
      }
    }
  }

  private func delete(now: WallTime) async {
    do {
      let lookedAt = try await round(now: now)
      if lookedAt > 0 { Log.debug("old messages deleted", ["looked_at": LogValue(lookedAt)]) }
    } catch {
      Log.warning("old messages could not be deleted", ["reason": LogValue(error)])
    }
  }

  /// - Returns: messages that were looked at, in batches.
  func round(now: WallTime) async throws -> Int {
    let limit = WallTime(nanoseconds: now.nanoseconds - Int64(days) * 86_400 * 1_000_000_000)
    var (last, lookedAt) = (Int64.min, 0)
    while !Task.isCancelled, let next = try await store.deleteEnded(before: limit, after: last, limit: Self.batch) {
      last = next
      lookedAt += Self.batch
    }
    return lookedAt
  }
}
