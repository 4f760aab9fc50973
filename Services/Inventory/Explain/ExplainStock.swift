import EventLoop
import Messages
import ServiceKit
import Storage

/// Says of a SKU what every message did to it, and why.
///
/// What changed is in the history. What changed nothing – what came too late, what was there already, what was refused – left
/// nothing but its message in the gateway's journal: the messages of the aggregate are looked through, which takes a call for each.
/// So one answer looks at ``messageLimit`` messages and takes ``timeLimit`` at most, and says when it stopped before the end.
struct ExplainStock: Sendable {
  static let messageLimit = 500
  /// Changes of the history that one answer looks at.
  static let changeLimit = 2_000
  /// Calls to the journal at a time.
  static let concurrency = 8

  let store: StockStore
  /// nil: only the history is told.
  let journal: (any StockJournal)?
  /// When no further page of the journal is asked for.
  var timeLimit = Duration.seconds(10)

  struct Answer: Sendable {
    var stock: Stock?
    /// The newest first.
    var events: [StockStory.Event] = []
    /// Nanoseconds since 1970: everything at or after it is told; nil when all is.
    var next: Int64?
    /// Why events may be missing; nil when none are.
    var note: String?
  }

  /// - Parameters:
  ///   - before: nanoseconds since 1970.
  ///   - limit: events at most.
  func callAsFunction(
    aggregateId: String, sku: String, before: Int64, limit: Int, now: Int64 = WallClock.nanoseconds()
  ) async throws -> Answer {
    var answer = Answer(stock: try await store.stock(aggregateId: aggregateId, sku: sku))
    let changes = try await store.database.read { connection in
      try StockHistory.changes(
        aggregateId: aggregateId, sku: sku, before: .max, limit: Self.changeLimit, now: now, connection)
    }
    var seen = Seen()
    do {
      try await look(for: sku, of: aggregateId, before: before, limit: limit, &seen)
    } catch {
      answer.note = "the gateway's journal can't be read (\(error)): what changed nothing is not told"
    }
    let current = answer.stock.map {
      StoredStock(quantity: $0.quantity, unlimited: $0.unlimited, createdOn: $0.createdOn.nanoseconds)
    }
    let story = StockStory(
      changes: changes, messages: seen.messages, now: current,
      isWhole: seen.until == nil && answer.note == nil && changes.count < Self.changeLimit)
    // What lies beyond the messages that were looked at comes with the next page.
    let events = story.events.reversed().filter { $0.place < before && $0.place >= seen.until ?? .min }
      .sorted { $0.place > $1.place }
    answer.events = Array(events.prefix(limit))
    if events.count > limit, let last = answer.events.last {
      answer.next = last.place
    } else if let until = seen.until {
      answer.next = until
    }
    if changes.count == Self.changeLimit {
      answer.note = "only the last \(Self.changeLimit) changes are told"
    }
    if answer.note == nil, let reason = seen.reason, answer.next != nil { answer.note = reason }
    return answer
  }

  private struct Seen {
    /// The newest first.
    var messages: [TouchingMessage] = []
    /// Where looking stopped; nil for at the end.
    var until: Int64?
    var reason: String?
  }

  private func look(
    for sku: String, of aggregateId: String, before: Int64, limit: Int, _ seen: inout Seen
  ) async throws {
    guard let journal else { return }
    let end = ContinuousClock.now + timeLimit
    var token = ""
    var looked = 0
    repeat {
      let page = try await journal.messages(of: aggregateId, before: before, limit: 100, token: token)
      token = page.token
      var rest = page.messages[...]
      while !rest.isEmpty {
        let some = Array(rest.prefix(Self.concurrency))
        rest = rest.dropFirst(some.count)
        seen.messages += try await bodies(some, journal).compactMap { TouchingMessage($0, sku: sku) }
        looked += some.count
        let isEnough = seen.messages.count > limit
        guard isEnough || looked >= Self.messageLimit || ContinuousClock.now >= end else { continue }
        guard !rest.isEmpty || !token.isEmpty, let last = some.last?.receivedAt?.nanosecondsSinceEpoch else { return }
        seen.until = last
        if !isEnough {
          seen.reason = "\(looked) messages of the journal were looked at; the next page goes on with older ones"
        }
        return
      }
    } while !token.isEmpty && ContinuousClock.now < end
    if !token.isEmpty { seen.reason = "the journal is slow: what changed nothing may be missing" }
  }

  private func bodies(
    _ messages: [Omsconnector.V1.JournalMessage], _ journal: any StockJournal
  ) async throws -> [Omsconnector.V1.JournalMessage] {
    try await withThrowingTaskGroup(of: (Int, Omsconnector.V1.JournalMessage).self) { group in
      for (index, message) in messages.enumerated() {
        group.addTask { (index, try await journal.message(message.id)) }
      }
      var found = messages
      for try await (index, message) in group { found[index] = message }
      return found
    }
  }
}
