import EventLoop
import Messages
import RPC
import ServiceKit
import Stubs

/// `omsconnector.v1.JournalService`.
struct JournalService: Omsconnector.V1.JournalService {
  /// A page ends here, far from a message's limit of 4 MiB.
  static let pageBytes = 1 << 20
  /// How long a page is searched for.
  static let searchTime = Duration.seconds(1)
  /// Bytes of a body that are shown; most messages are smaller than the largest, which fits an answer with all that goes with it.
  static let bodyBytes = (standard: MaskedText.limit, largest: 3 << 20)
  static let keys = (standard: 20, largest: 1_000)
  /// Of why a message is discarded.
  static let reasonCharacters = 500

  let store: JournalStore
  private let states: QueueStates
  private let outboxes: @Sendable () async -> [Omsconnector.V1.ServiceOutbox]
  private let replay: JournalReplay
  let discards: JournalDiscard

  /// - Parameters:
  ///   - states: who delivers, and is to be told what operators do.
  ///   - held: what this gateway delivers, and what another one does.
  ///   - nudge: makes ``PartitionWatch`` look.
  ///   - consumed: what running services consume.
  ///   - outboxes: what the services have not handed over yet.
  init(
    store: JournalStore, states: QueueStates, held: HeldPartitions = .all,
    nudge: @escaping @Sendable () -> Void = {}, consumed: @escaping TopicWatcher.Ask,
    outboxes: @escaping @Sendable () async -> [Omsconnector.V1.ServiceOutbox]
  ) {
    self.store = store
    self.outboxes = outboxes
    self.states = states
    let destinations = Dictionary(
      states.destinations.map { ($0.destination.name, $0.destination) }, uniquingKeysWith: { first, _ in first })
    replay = JournalReplay(store: store, destinations: destinations, nudge: nudge, consumed: consumed)
    discards = JournalDiscard(store: store, destinations: destinations, held: held)
  }

  // MARK: Looking

  func listMessages(
    _ request: Omsconnector.V1.ListMessagesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListMessagesResponse {
    let filter = try JournalFilter(request.filter)
    if request.afterId < 0 { throw RPCError.invalid(field: "after_id", "after_id \(request.afterId) is negative") }
    let newestFirst = request.afterId == 0
    let asked = try PageRequest(
      size: request.pageSize, token: request.pageToken, of: "\(filter.text)\u{0}\(newestFirst)")
    let place = try asked.place { Int64($0) }
    do {
      var range = try await store.bounds()
      if !newestFirst { range = Self.behind(request.afterId, Self.upTo(try await store.settledBound(), range)) }
      if let place { range = newestFirst ? Self.before(place, range) : Self.behind(place, range) }
      return try await page(JournalSearch(store, filter, newestFirst: newestFirst, in: range), asked)
    } catch {
      throw RPCError(storing: error, what: "the journal")
    }
  }

  private func page(
    _ search: JournalSearch, _ asked: PageRequest
  ) async throws -> Omsconnector.V1.ListMessagesResponse {
    var search = search
    var response = Omsconnector.V1.ListMessagesResponse()
    var bytes = 0
    let start = EventLoop.monotonicNanoseconds()
    while search.rest != nil, response.messages.count < asked.limit,
      Duration.nanoseconds(Int64(EventLoop.monotonicNanoseconds() - start)) < Self.searchTime
    {
      for message in try await search.next(limit: asked.limit - response.messages.count) {
        bytes += message.serialized().count
        if bytes > Self.pageBytes, let last = response.messages.last {
          response.nextPageToken = asked.token(after: "\(last.id)")
          return response
        }
        response.messages.append(message)
      }
    }
    if let rest = search.rest {
      let place = search.newestFirst ? rest.upperBound + 1 : rest.lowerBound - 1
      response.nextPageToken = asked.token(after: "\(place)")
    }
    return response
  }

  func getMessage(
    _ request: Omsconnector.V1.GetMessageRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetMessageResponse {
    let limit = try Self.limit(request.bodyLimit, "body_limit", Self.bodyBytes)
    return .init(message: try await message(request.id, bodyLimit: limit))
  }

  func message(_ id: Int64, bodyLimit: Int = MaskedText.limit) async throws -> JournalMessage {
    guard id > 0 else { throw RPCError.invalid(field: "id", "id \(id) is no message's; see omsctl journal list") }
    let found: JournalMessage?
    do {
      found = try await store.message(id, bodyLimit: bodyLimit)
    } catch {
      throw RPCError(storing: error, what: "the journal")
    }
    guard let found else {
      throw RPCError(
        .notFound,
        "the journal has no message \(id); see omsctl journal list, and JOURNAL_RETENTION for how long they stay")
    }
    return found
  }

  func getQueues(
    _ request: Omsconnector.V1.GetQueuesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetQueuesResponse {
    let keys = try Self.limit(request.keys, "keys", Self.keys)
    let (queues, givenUp): ([Omsconnector.V1.MessageQueue], Int)
    do {
      queues = try await states.queues(of: request.destination, keys: keys)
      givenUp = try await store.givenUp()
    } catch {
      throw RPCError(storing: error, what: "the journal")
    }
    guard request.destination.isEmpty || !queues.isEmpty else {
      let known = states.destinations.map(\.destination.name).joined(separator: ", ")
      throw RPCError.invalid(
        field: "destination", "destination \(JSONText.quoted(request.destination, limit: 100)) is not one of \(known)")
    }
    return .init(
      queues: queues, outboxes: request.destination.isEmpty ? await outboxes() : [], givenUp: Int64(givenUp))
  }

  // MARK: Repairing

  func replay(
    _ request: Omsconnector.V1.ReplayRequest, responses: ResponseWriter<Omsconnector.V1.ReplayResponse>,
    context: ServerContext
  ) async throws {
    let handler = try Self.handler(request.replayedBy, "replayed_by", context)
    let filter = try JournalFilter(request.filter)
    var range: ClosedRange<Int64>?
    if request.id != 0 {
      guard request.filter == nil else {
        throw RPCError.invalid(field: "filter", "filter: send an id or a filter, not both")
      }
      let message = try await message(request.id)
      guard message.status != .pending else {
        throw RPCError(.failedPrecondition, "message \(request.id) waits for delivery already")
      }
      guard !message.isCall else {
        throw RPCError(
          .failedPrecondition,
          "message \(request.id) is a call: whoever asked the OMS has had the answer and waits no longer; it can be "
            + "discarded")
      }
      range = request.id...request.id
    } else {
      try Self.check(filter, "everything would be replayed")
    }
    do {
      let whole = try await store.bounds()
      let result = try await replay.replay(
        filter, in: range ?? whole, by: handler, dryRun: request.dryRun, progress: { try await responses.send($0) })
      if request.id != 0, result.replayed == 0, let reason = result.notes.first {
        throw RPCError(.failedPrecondition, reason)
      }
      try await responses.send(result)
    } catch {
      throw RPCError(storing: error, what: "the journal")
    }
  }

  // MARK: Requests

  static func check(_ filter: JournalFilter, _ what: String) throws(RPCError) {
    guard filter.isNarrow else {
      throw .invalid(
        field: "filter", "filter: set a status, a method, a key, a delivery_id or a time; else \(what)")
    }
  }

  static func check(reason: String) throws(RPCError) {
    guard !reason.isEmpty, reason.count <= reasonCharacters else {
      throw .invalid(
        field: "reason",
        reason.isEmpty
          ? "reason is missing; say why, so that it is kept"
          : "reason has \(reason.count) characters; at most \(reasonCharacters)")
    }
  }

  static func limit(_ asked: Int32, _ field: String, _ sizes: (standard: Int, largest: Int)) throws -> Int {
    if asked < 0 { throw RPCError.invalid(field: field, "\(field) \(asked) is negative; send 0 for \(sizes.standard)") }
    return asked == 0 ? sizes.standard : min(Int(asked), sizes.largest)
  }

  static func handler(_ name: String, _ field: String, _ context: ServerContext) throws -> String {
    guard name.count <= JournalStore.handlerCharacters else {
      throw RPCError.invalid(
        field: field, "\(field) has \(name.count) characters; at most \(JournalStore.handlerCharacters)")
    }
    return Caller(context).audited(as: name)
  }

  /// - Parameter bound: nil for none.
  private static func upTo(_ bound: Int64?, _ range: ClosedRange<Int64>?) -> ClosedRange<Int64>? {
    guard let range, let bound else { return range }
    return bound < range.lowerBound ? nil : range.lowerBound...min(range.upperBound, bound)
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
