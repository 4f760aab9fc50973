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
        await round()
      }
    }
  }

  func round() async {
    do {
      for run in try await store.idleRuns(now: store.clock()) { await close(run) }
    } catch {
      Log.warning("open snapshots can't be looked for", ["reason": LogValue(error)])
    }
  }

  /// As long as nobody can say that no part waits, none is taken for the last.
  private func close(_ run: IdleRun) async {
    let aggregateId = run.aggregateId
    do {
      if try await journal.hasWaiting(of: aggregateId) { return }
      if let part = try await failedPart(of: run) {
        Log.warning(
          "a NONZERO in parts can't be ended: a message that is one of them, or may be, has failed; replay or discard it",
          ["aggregate_id": "\(quotable(aggregateId))", "journal_id": LogValue(part)])
        return
      }
      guard let outcome = try await store.closeIdleRun(of: aggregateId) else { return }
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

  /// Pages of failed messages that are looked through.
  static let pageLimit = 10

  /// - Returns: the number of a message that failed and whose SKUs would be taken for left out; nil for none.
  private func failedPart(of run: IdleRun) async throws -> Int64? {
    // Parts come after the time that they carry, but for what the clocks differ by.
    let since = run.createdOn.nanoseconds - HeldSnapshots.longestAhead
    var token = ""
    for _ in 1...Self.pageLimit {
      let page = try await journal.failed(of: run.aggregateId, since: since, token: token)
      for message in page.messages where try await isPart(message.id, of: run) { return message.id }
      token = page.token
      if token.isEmpty { return nil }
    }
    throw TooManyFailed()
  }

  /// What can't be read may be one.
  private func isPart(_ id: Int64, of run: IdleRun) async throws -> Bool {
    guard let head = TouchingMessage.Head(try await journal.message(id).body) else { return true }
    if let mode = head.mode, mode != .nonzero { return false }
    return ([run.createdOn] + run.origins).contains { $0.nanoseconds == head.createdOn }
  }

  private struct TooManyFailed: Error, CustomStringConvertible {
    var description: String {
      "so many of its messages have failed that they are not looked through: replay or discard them, see omsctl journal list --status ERROR"
    }
  }
}
