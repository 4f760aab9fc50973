import EventLoop
import Messages
import RPC
import ServiceKit
import Stubs

/// `omsconnector.v1.JournalService`.
struct JournalService: Omsconnector.V1.JournalService {
  /// A page's size when the client names none, and the largest (AIP-158).
  static let pageSize = (standard: 100, largest: 1_000)
  /// A page ends here, far from a message's limit of 4 MiB.
  static let pageBytes = 1 << 20
  /// How long a page is searched for.
  static let searchTime = Duration.seconds(1)
  static let keys = (standard: 20, largest: 1_000)
  static let reasonCharacters = 500

  private let store: JournalStore
  private let dispatchers: [(destination: String, direction: MessageDirection, dispatcher: Dispatcher)]
  private let replay: JournalReplay

  /// - Parameter incoming, outgoing: who delivers, and is to be told what operators do.
  init(store: JournalStore, incoming: [Dispatcher], outgoing: [Dispatcher]) {
    self.store = store
    dispatchers =
      incoming.map { ($0.destination, .incoming, $0) }.sorted { $0.0 < $1.0 }
      + outgoing.map { ($0.destination, .outgoing, $0) }.sorted { $0.0 < $1.0 }
    replay = JournalReplay(
      store: store,
      dispatchers: Dictionary(
        dispatchers.map { ($0.destination, $0.dispatcher) }, uniquingKeysWith: { first, _ in first }))
  }

  // MARK: Looking

  func listMessages(
    _ request: Omsconnector.V1.ListMessagesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListMessagesResponse {
    let filter = try JournalFilter(request.filter)
    let limit = try Self.limit(request.pageSize, "page_size", Self.pageSize)
    if request.afterId < 0 { throw RPCError.invalid(field: "after_id", "after_id \(request.afterId) is negative") }
    let newestFirst = request.afterId == 0
    let list = "\(filter.text)\u{0}\(newestFirst)"
    do {
      var range = try await store.bounds()
      if !newestFirst { range = Self.behind(request.afterId, range) }
      if !request.pageToken.isEmpty {
        guard let place = PageToken.decode(request.pageToken, of: list).flatMap({ Int64($0) }) else {
          throw RPCError.invalid(
            field: "page_token",
            "page_token \(JSONText.quoted(request.pageToken, limit: 100)) is no next_page_token of this list; send one "
              + "unchanged and with the same filter, or none for the first page")
        }
        range = newestFirst ? Self.before(place, range) : Self.behind(place, range)
      }
      return try await page(JournalSearch(store, filter, newestFirst: newestFirst, in: range), limit, list)
    } catch {
      throw RPCError(storing: error, what: "the journal")
    }
  }

  private func page(
    _ search: JournalSearch, _ limit: Int, _ list: String
  ) async throws -> Omsconnector.V1.ListMessagesResponse {
    var search = search
    var response = Omsconnector.V1.ListMessagesResponse()
    var bytes = 0
    let start = EventLoop.monotonicNanoseconds()
    while search.rest != nil, response.messages.count < limit,
      Duration.nanoseconds(Int64(EventLoop.monotonicNanoseconds() - start)) < Self.searchTime
    {
      for message in try await search.next(limit: limit - response.messages.count) {
        bytes += message.serialized().count
        if bytes > Self.pageBytes, let last = response.messages.last {
          response.nextPageToken = PageToken.encode(after: "\(last.id)", of: list)
          return response
        }
        response.messages.append(message)
      }
    }
    if let rest = search.rest {
      let place = search.newestFirst ? rest.upperBound + 1 : rest.lowerBound - 1
      response.nextPageToken = PageToken.encode(after: "\(place)", of: list)
    }
    return response
  }

  func getMessage(
    _ request: Omsconnector.V1.GetMessageRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetMessageResponse {
    .init(message: try await message(request.id))
  }

  private func message(_ id: Int64) async throws -> JournalMessage {
    guard id > 0 else { throw RPCError.invalid(field: "id", "id \(id) is no message's; see ListMessages") }
    let found: JournalMessage?
    do {
      found = try await store.message(id)
    } catch {
      throw RPCError(storing: error, what: "the journal")
    }
    guard let found else {
      throw RPCError(
        .notFound,
        "the journal has no message \(id); see ListMessages, and JOURNAL_RETENTION for how long it keeps them")
    }
    return found
  }

  func getQueues(
    _ request: Omsconnector.V1.GetQueuesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetQueuesResponse {
    let keys = try Self.limit(request.keys, "keys", Self.keys)
    var queues: [Omsconnector.V1.MessageQueue] = []
    do {
      // Of a way that this version has no dispatcher for, something may be left.
      let known = Set(dispatchers.map(\.destination))
      let others = try await store.pendingDestinations().filter { !known.contains($0) }
      let all = dispatchers.map { ($0.destination, $0.direction, Optional($0.dispatcher)) }
      for (destination, direction, dispatcher) in all + others.map({ ($0, .unspecified, nil) })
      where request.destination.isEmpty || destination == request.destination {
        let queue = try await store.queue(destination, keys: keys)
        queues.append(Self.message(destination, direction, queue, await dispatcher?.breaker))
      }
    } catch {
      throw RPCError(storing: error, what: "the journal")
    }
    guard request.destination.isEmpty || !queues.isEmpty else {
      let known = dispatchers.map(\.destination).joined(separator: ", ")
      throw RPCError.invalid(
        field: "destination", "destination \(JSONText.quoted(request.destination, limit: 100)) is not one of \(known)")
    }
    return .init(queues: queues)
  }

  private static func message(
    _ destination: String, _ direction: MessageDirection, _ queue: JournalStore.Queue, _ breaker: CircuitBreaker?
  ) -> Omsconnector.V1.MessageQueue {
    let lastError = breaker.map(\.lastError) ?? ""
    return .init(
      destination: destination, direction: direction, depth: Int64(queue.depth),
      oldestReceivedAt: queue.oldestReceivedAt?.timestamp, broken: breaker?.openUntil != nil,
      nextAttemptAt: breaker?.openUntil?.timestamp,
      lastError: lastError.isEmpty ? queue.oldestReason : MaskedText.line(lastError),
      keys: queue.keys.map {
        .init(
          key: $0.key, depth: Int64($0.depth), oldestReceivedAt: $0.oldestReceivedAt.timestamp, oldestId: $0.oldestID,
          oldestReason: $0.oldestReason, more: $0.isMore)
      },
      keyCount: Int64(queue.keyCount))
  }

  // MARK: Repairing

  func replay(
    _ request: Omsconnector.V1.ReplayRequest, responses: ResponseWriter<Omsconnector.V1.ReplayResponse>,
    context: ServerContext
  ) async throws {
    let handler = try Self.handler(request.replayedBy, "replayed_by")
    let filter = try JournalFilter(request.filter)
    var range: ClosedRange<Int64>?
    if request.id != 0 {
      guard request.filter == nil else {
        throw RPCError.invalid(field: "filter", "filter: send an id or a filter, not both")
      }
      guard try await message(request.id).status != .pending else {
        throw RPCError(.failedPrecondition, "message \(request.id) waits for delivery already")
      }
      range = request.id...request.id
    } else {
      guard filter.isNarrow else {
        throw RPCError.invalid(
          field: "filter",
          "filter: set a status, a method, a key, a delivery_id or a time; else everything would be replayed")
      }
    }
    do {
      let whole = try await store.bounds()
      let result = try await replay.replay(
        filter, in: range ?? whole, by: handler, dryRun: request.dryRun, progress: { try await responses.send($0) })
      try await responses.send(result)
    } catch {
      throw RPCError(storing: error, what: "the journal")
    }
  }

  func discard(
    _ request: Omsconnector.V1.DiscardRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.DiscardResponse {
    let handler = try Self.handler(request.discardedBy, "discarded_by")
    guard !request.reason.isEmpty, request.reason.count <= Self.reasonCharacters else {
      throw RPCError.invalid(
        field: "reason",
        request.reason.isEmpty
          ? "reason is missing; say why, for the journal"
          : "reason has \(request.reason.count) characters; at most \(Self.reasonCharacters)")
    }
    let message = try await message(request.id)
    switch message.status {
    case .pending, .error, .dead: break
    case .ignored where message.reason == MaskedText.line(request.reason): return .init(message: message)
    default:
      let name = message.status.description.dropFirst("MESSAGE_STATUS_".count)
      throw RPCError(.failedPrecondition, "message \(message.id) is \(name): there is nothing to discard")
    }
    do {
      try await discard(message, reason: request.reason, by: handler)
    } catch {
      throw RPCError(storing: error, what: "the journal")
    }
    return .init(message: try await self.message(request.id))
  }

  private func discard(_ message: JournalMessage, reason: String, by handler: String) async throws {
    let store = store
    let body: @Sendable () async throws -> Void = {
      guard try await store.discard(message.id, reason: reason, by: handler, at: .now) else {
        throw RPCError(.aborted, "message \(message.id) has ended meanwhile; look at it again")
      }
    }
    guard message.status == .pending,
      let dispatcher = dispatchers.first(where: { $0.destination == message.destination })?.dispatcher
    else { return try await body() }
    guard try await dispatcher.withholding(message.id, key: message.key, body) else {
      throw RPCError(.aborted, "message \(message.id) is being delivered right now; look at it again")
    }
  }

  // MARK: Requests

  private static func limit(_ asked: Int32, _ field: String, _ sizes: (standard: Int, largest: Int)) throws -> Int {
    if asked < 0 { throw RPCError.invalid(field: field, "\(field) \(asked) is negative; send 0 for \(sizes.standard)") }
    return asked == 0 ? sizes.standard : min(Int(asked), sizes.largest)
  }

  private static func handler(_ name: String, _ field: String) throws -> String {
    guard name.count <= JournalStore.handlerCharacters else {
      throw RPCError.invalid(
        field: field, "\(field) has \(name.count) characters; at most \(JournalStore.handlerCharacters)")
    }
    return name
  }

  /// What of the range is behind a number, which a client may have made up: it is compared before anything is added to it.
  private static func behind(_ id: Int64, _ range: ClosedRange<Int64>?) -> ClosedRange<Int64>? {
    guard let range, id < range.upperBound else { return nil }
    return max(range.lowerBound, id + 1)...range.upperBound
  }

  /// As ``behind(_:_:)``, what is before it.
  private static func before(_ id: Int64, _ range: ClosedRange<Int64>?) -> ClosedRange<Int64>? {
    guard let range, id > range.lowerBound else { return nil }
    return range.lowerBound...min(range.upperBound, id - 1)
  }
}
