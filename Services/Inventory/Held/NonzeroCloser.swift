import EventLoop
import ServiceKit
import Storage

/// Ends NONZEROs in parts that nothing else has ended, see ``NonzeroRun``.
struct NonzeroCloser: Sendable {
  static let interval = Duration.seconds(60)

  let store: StockStore
  let journal: any StockJournal
  let pushing: @Sendable () -> Void

  func run(in setup: inout ServiceSetup) {
    let loop = setup.group.next()
    setup.run("snapshots in parts") {
      while !Task.isCancelled {
        await loop.sleep(for: Self.interval * Double.random(in: 0.8...1.2))
        await round(now: WallClock.nanoseconds())
      }
    }
  }

  /// - Parameter now: nanoseconds since 1970.
  func round(now: Int64) async {
    do {
      for aggregateId in try await store.idleRuns(now: now) { await close(aggregateId, now: now) }
    } catch {
      Log.warning("open snapshots can't be looked for", ["reason": LogValue(error)])
    }
  }

  /// As long as nobody can say that no part waits, none is taken for the last.
  private func close(_ aggregateId: String, now: Int64) async {
    do {
      if try await journal.hasWaiting(of: aggregateId) { return }
      guard let outcome = try await store.closeIdleRun(of: aggregateId, now: now) else { return }
      outcome.log(of: aggregateId)
      if outcome.isToPush { pushing() }
      Log.info(
        "a NONZERO in parts has ended: no further part came",
        ["aggregate_id": "\(quotable(aggregateId))", "zeroed": LogValue(outcome.zeroed)])
    } catch {
      Log.warning(
        "a NONZERO in parts can't be ended now",
        ["aggregate_id": "\(quotable(aggregateId))", "reason": LogValue(error)])
    }
  }
}
