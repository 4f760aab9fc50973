import Messages

/// What waits for each destination, and what keeps it waiting.
struct QueueStates: Sendable {
  let store: JournalStore
  let destinations: [(destination: Destination, direction: MessageDirection)]
  /// Why nothing goes to the OMS by somebody's will; nil when something does.
  let heldBack: @Sendable () async -> String?

  init(
    store: JournalStore, incoming: [Destination], outgoing: [Destination],
    heldBack: @escaping @Sendable () async -> String? = { nil }
  ) {
    self.store = store
    destinations =
      incoming.sorted { $0.name < $1.name }.map { ($0, .incoming) }
      + outgoing.sorted { $0.name < $1.name }.map { ($0, .outgoing) }
    self.heldBack = heldBack
  }

  /// What keeps a destination's messages waiting.
  enum State: Equatable {
    case delivering(lastError: String)
    /// It does not answer.
    case away(lastError: String, until: WallTime)
    case held(String)
  }

  /// As this gateway has found it. A destination is away when one of its dispatchers has found it so: it is the same for all, and
  /// others have had nothing to try.
  func state(_ direction: MessageDirection, _ destination: Destination?) async -> State {
    if direction == .outgoing, let reason = await heldBack() { return .held(reason) }
    var (lastError, until): (String, WallTime?) = ("", nil)
    for dispatcher in destination?.dispatchers ?? [] {
      let breaker = await dispatcher.breaker
      if let open = breaker.openUntil {
        if until.map({ open < $0 }) ?? true { (lastError, until) = (breaker.lastError, open) }
      } else if until == nil, lastError.isEmpty {
        lastError = breaker.lastError
      }
    }
    return until.map { .away(lastError: lastError, until: $0) } ?? .delivering(lastError: lastError)
  }

  /// - Parameters:
  ///   - wanted: a destination; empty for all.
  ///   - keys: to name at most of each.
  func queues(of wanted: String = "", keys: Int) async throws -> [Omsconnector.V1.MessageQueue] {
    // Of a way that this version has no dispatcher for, something may be left.
    let known = Set(destinations.map(\.destination.name))
    let others = try await store.pendingDestinations().filter { !known.contains($0) }
    let all = destinations.map { ($0.destination.name, $0.direction, Optional($0.destination)) }
    var queues: [Omsconnector.V1.MessageQueue] = []
    for (name, direction, destination) in all + others.map({ ($0, .unspecified, nil) })
    where wanted.isEmpty || name == wanted {
      let queue = try await store.queue(name, keys: keys)
      queues.append(Self.message(name, direction, queue, await state(direction, destination)))
    }
    return queues
  }

  private static func message(
    _ destination: String, _ direction: MessageDirection, _ queue: JournalStore.Queue, _ state: State
  ) -> Omsconnector.V1.MessageQueue {
    var message = Omsconnector.V1.MessageQueue(
      destination: destination, direction: direction, depth: Int64(queue.depth),
      oldestReceivedAt: queue.oldestReceivedAt?.timestamp, keyCount: Int64(queue.keyCount))
    // Why nothing at all is tried goes before what came of a key's last try.
    var reason: String?
    switch state {
    case .delivering(let lastError):
      message.lastError = lastError.isEmpty ? queue.oldestReason : MaskedText.line(lastError)
    case .away(let lastError, let until):
      (message.broken, message.nextAttemptAt) = (true, until.timestamp)
      reason = MaskedText.line(lastError)
    case .held(let why):
      message.held = true
      reason = MaskedText.line(why)
    }
    if let reason { message.lastError = reason }
    message.keys = queue.keys.map {
      .init(
        key: $0.key, depth: Int64($0.depth), oldestReceivedAt: $0.oldestReceivedAt.timestamp, oldestId: $0.oldestID,
        oldestReason: reason ?? $0.oldestReason, more: $0.isMore)
    }
    return message
  }
}
