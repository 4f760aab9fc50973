import EventLoop
import Messages
import RPC
import ServiceKit

/// Delivers ended messages again: the oldest first, a few at a time, so that neither writers nor the dispatchers' memory feel it.
/// One replay at a time.
actor JournalReplay {
  /// Messages of one transaction.
  static let batch = 64
  /// What is counted beforehand.
  static let countLimit = 1_000_000
  static let noteLimit = 100

  typealias Progress = @Sendable (Omsconnector.V1.ReplayResponse) async throws -> Void

  private let store: JournalStore
  private let destinations: [String: Destination]
  private let nudge: @Sendable () -> Void
  private let consumed: TopicWatcher.Ask
  private var running: Running?

  /// The replay that is under way.
  private struct Running {
    let handler: String
    let since: WallTime
    var matched: Int64 = 0
    var total: Int64 = 0
  }

  /// - Parameters:
  ///   - nudge: makes ``PartitionWatch`` look.
  ///   - consumed: what running services consume.
  init(
    store: JournalStore, destinations: [String: Destination], nudge: @escaping @Sendable () -> Void = {},
    consumed: @escaping TopicWatcher.Ask
  ) {
    self.store = store
    self.destinations = destinations
    self.nudge = nudge
    self.consumed = consumed
  }

  /// - Parameter progress: told after every batch; what it throws ends the replay, between two batches.
  /// - Returns: the whole.
  func replay(
    _ filter: JournalFilter, in range: ClosedRange<Int64>?, by handler: String, dryRun: Bool, progress: Progress
  ) async throws -> Omsconnector.V1.ReplayResponse {
    if !dryRun {
      if let running { throw Self.refusal(running) }
      running = Running(handler: handler, since: .now)
    }
    defer { if !dryRun { running = nil } }
    var result = Omsconnector.V1.ReplayResponse()
    var routes = ReplayRoutes(store: store, consumed: consumed)
    var search = JournalSearch(store, filter, newestFirst: false, in: range)
    result.total = try await count(search)
    while search.rest != nil {
      let found = try await search.next(limit: Self.batch).filter(Self.isReplayable)
      if found.isEmpty { continue }
      result.matched += Int64(found.count)
      if !dryRun {
        running?.matched = result.matched
        running?.total = max(result.total, result.matched)
      }
      try await replay(found, by: handler, dryRun: dryRun, &routes, &result)
      var part = result
      part.total = max(part.total, part.matched)
      part.notes = []
      try await progress(part)
    }
    result.total = max(result.total, result.matched)
    return result
  }

  /// What waits is delivered anyhow; of a call nobody expects anything any more.
  private static func isReplayable(_ message: JournalMessage) -> Bool { message.status != .pending && !message.isCall }

  private static func refusal(_ running: Running) -> RPCError {
    let who = running.handler.isEmpty ? "another replay" : "a replay by \(running.handler)"
    return RPCError(
      .failedPrecondition,
      "\(who) is under way since \(running.since.timestamp.text), at \(running.matched) of \(running.total) messages; wait for "
        + "its end")
  }

  private func count(_ search: JournalSearch) async throws -> Int64 {
    var search = search
    var count = 0
    while search.rest != nil, count < Self.countLimit {
      count += try await search.next(limit: 1_000).count(where: Self.isReplayable)
    }
    return Int64(min(count, Self.countLimit))
  }

  private func replay(
    _ messages: [JournalMessage], by handler: String, dryRun: Bool, _ routes: inout ReplayRoutes,
    _ result: inout Omsconnector.V1.ReplayResponse
  ) async throws {
    var accepted: [JournalMessage] = []
    for message in messages {
      do throws(ReplayRefusal) {
        let routed = try await routes.route(message)
        guard destinations[routed.destination] != nil else {
          throw ReplayRefusal("this version delivers nothing to \(JSONText.quoted(routed.destination, limit: 100))")
        }
        accepted.append(routed)
      } catch {
        note("message \(message.id) cannot be replayed: \(error)", &result)
      }
    }
    if !dryRun {
      let requeued = try await store.requeue(accepted, by: handler, at: .now)
      accepted.removeAll { !requeued.contains($0.id) }
    }
    result.replayed += Int64(accepted.count)
    for message in accepted where try await store.isOvertaken(message) {
      result.outOfOrder += 1
      note(
        "message \(message.id) comes out of order: later messages of key \(JSONText.quoted(message.key, limit: 100)) "
          + "have been delivered", &result)
    }
    guard !dryRun else { return }
    // Whoever delivers them, this gateway or another one, finds them in the store.
    guard store.partitions.count == 1 else { return nudge() }
    let (destinations, waiting) = (self.destinations, accepted)
    // Not a part of the call: who asks may go away, but what is marked in the journal has to come to its dispatcher.
    await Task {
      for message in waiting {
        await destinations[message.destination]?[0].requeueWhenPossible(message.id, key: message.key)
      }
    }.value
  }

  private func note(_ text: String, _ result: inout Omsconnector.V1.ReplayResponse) {
    if result.notes.count < Self.noteLimit { result.notes.append(text) }
  }
}
