import EventLoop
import Messages
import RPC
import ServiceKit

/// Gives messages up: one, or what a filter finds. What is being delivered right now can't be taken back and stays.
struct JournalDiscard: Sendable {
  /// What is discarded of a filter's messages.
  static let statuses: Set<MessageStatus> = [.pending, .error, .dead]
  /// Messages of one transaction, those that wait excepted: each of them is held back from its dispatcher first.
  static let batch = 64
  /// How long one call works.
  static let time = Duration.seconds(1)
  static let noteLimit = 100

  /// How long the gateway that delivers a message is waited for, and how often it is looked whether it has answered.
  private static let patience = Duration.seconds(5)
  private static let lookInterval = Duration.milliseconds(50)

  let store: JournalStore
  let destinations: [String: Destination]
  let held: HeldPartitions

  /// Why, and by whom.
  struct Word: Sendable {
    let reason: String
    let handler: String
  }

  /// - Throws: ABORTED when it is being delivered right now, or has come to another end.
  func one(_ message: JournalMessage, _ word: Word) async throws {
    let store = store
    let body: @Sendable () async throws -> Void = {
      guard try await !store.discard([message.id], reason: word.reason, by: word.handler, at: .now).isEmpty else {
        throw RPCError(.aborted, "message \(message.id) has ended meanwhile; look at it again")
      }
    }
    guard message.status == .pending, let destination = destinations[message.destination] else {
      return try await body()
    }
    let partition = store.partition(of: message.id)
    if !held.isHeld(partition) { return try await askHolder(message, word) }
    let dispatcher = destination[partition]
    guard try await dispatcher.withholding(message.id, key: message.key, body) else {
      throw RPCError(.aborted, "message \(message.id) is being delivered right now; look at it again")
    }
  }

  /// Another gateway may be delivering it right now: that one gives it up.
  private func askHolder(_ message: JournalMessage, _ word: Word) async throws {
    let start = EventLoop.monotonicNanoseconds()
    try await store.askToDiscard(message.id, reason: word.reason, by: word.handler)
    while Duration.nanoseconds(Int64(EventLoop.monotonicNanoseconds() - start)) < Self.patience,
      try await store.hasTask(.discard, message.id)
    {
      try await Task.sleep(for: Self.lookInterval)
    }
    if try await store.withdrawTask(.discard, message.id) {
      throw RPCError(
        .unavailable, "the gateway that delivers message \(message.id) did not answer: nothing was changed, try again",
        details: [.retryInfo(.seconds(5))])
    }
    guard let receipt = try await store.receipt(message.id) else {
      throw RPCError(.aborted, "message \(message.id) is gone from the journal")
    }
    switch receipt.status {
    case .ignored: return
    case .pending:
      throw RPCError(.aborted, "message \(message.id) is being delivered right now; look at it again")
    default: throw RPCError(.aborted, "message \(message.id) has ended meanwhile; look at it again")
    }
  }

  /// As much as fits into ``time``.
  ///
  /// - Parameter range: nil when there is nothing.
  /// - Returns: also what is left to search; nil when that was all.
  func all(
    _ filter: JournalFilter, in range: ClosedRange<Int64>?, _ word: Word, dryRun: Bool
  ) async throws -> (response: Omsconnector.V1.DiscardResponse, rest: ClosedRange<Int64>?) {
    var response = Omsconnector.V1.DiscardResponse()
    var search = JournalSearch(store, filter, newestFirst: false, in: range)
    let start = EventLoop.monotonicNanoseconds()
    while search.rest != nil, Duration.nanoseconds(Int64(EventLoop.monotonicNanoseconds() - start)) < Self.time {
      let found = try await search.next(limit: Self.batch)
      response.matched += Int64(found.count)
      if dryRun {
        response.discarded += Int64(found.count)
      } else {
        try await discard(found, word, &response)
      }
    }
    return (response, search.rest)
  }

  private func discard(
    _ messages: [JournalMessage], _ word: Word, _ response: inout Omsconnector.V1.DiscardResponse
  ) async throws {
    let ended = messages.filter { $0.status != .pending }.map(\.id)
    if !ended.isEmpty {
      let discarded = try await store.discard(ended, reason: word.reason, by: word.handler, at: .now)
      response.discarded += Int64(discarded.count)
      for id in ended where !discarded.contains(id) {
        note("message \(id) has been replayed or discarded meanwhile", &response)
      }
    }
    for message in messages where message.status == .pending {
      do {
        try await one(message, word)
        response.discarded += 1
      } catch let error as RPCError where error.code == .aborted {
        note(error.message, &response)
      }
    }
  }

  private func note(_ text: String, _ response: inout Omsconnector.V1.DiscardResponse) {
    if response.notes.count < Self.noteLimit { response.notes.append(text) }
  }
}

extension JournalMessage {
  /// A question that a service asked the OMS: it was sent at once, and nobody waits for it any more.
  var isCall: Bool { direction == .outgoing && destination == OutgoingMessage.callDestination }
}
