/// A message of the OMS as it came in.
struct IncomingMessage: Sendable {
  /// The JSON-RPC id as JSON text.
  var deliveryID: String
  var method: String
  var key: String
  /// The service that is to consume it; empty when there is none.
  var destination: String
  /// The whole request.
  var body: [UInt8]
  /// What makes the same message the same: SHA-256 of its method and params.
  var digest: [UInt8]
  var traceparent: String
  /// `.pending`, or what it is from the start.
  var status: MessageStatus = .pending
  /// Why it is not pending.
  var reason = ""

  /// Without one, only its content and its time tell it from others.
  var hasID: Bool { deliveryID != JSONRPCRequest.noID }
}

/// A message for the OMS as a service handed it over.
struct OutgoingMessage: Sendable {
  /// Unique among all outgoing messages.
  var deliveryID: String
  var method: String
  /// Empty: in no order with others.
  var key: String
  /// The bus's way: see ``BusRoute``.
  var destination: String
  /// The params as JSON text.
  var body: [UInt8]
  var traceparent: String
}

/// A message that waits, as the dispatcher takes it from the journal.
struct PendingMessage: Sendable, Equatable {
  /// The journal's number.
  var id: Int64
  var deliveryID: String
  var method: String
  var key: String
  var body: [UInt8]
  var traceparent: String
  /// When it became durable, or was replayed last.
  var waitingSince: WallTime
  var attempts: AttemptLog
  /// When it is to be tried again; nil when at once.
  var nextAttemptAt: WallTime?
  var replayCount: Int

  /// By which its service knows it from all others. A message without an id of its own is known by the journal's number, and by
  /// its time, as another journal begins to count anew.
  var consumedID: String {
    deliveryID == JSONRPCRequest.noID ? "\"journal-\(id)-\(waitingSince.nanoseconds)\"" : deliveryID
  }

  /// What it takes of the dispatcher's memory, in bytes, about.
  var weight: Int { body.count + key.utf8.count + deliveryID.utf8.count + 256 }
}

/// What the journal says of a message that has just come in.
struct Receipt: Sendable, Equatable {
  var id: Int64
  /// It had come in before, and this is what became of it.
  var isDuplicate: Bool
  var status: MessageStatus
  var reason: String
  /// What was answered, as JSON text.
  var result: [UInt8]
  /// It had come in before, when nobody consumed it, and waits from now on.
  var isTakenUp = false
}

/// How much of the queue is read at a time.
struct PageLimits: Sendable, Equatable {
  var rows: Int
  /// Sum of ``PendingMessage/weight``; the message that reaches it is the last.
  var weight: Int
}

/// A part of the queue.
struct PendingPage: Sendable, Equatable {
  var messages: [PendingMessage]
  /// Nothing more waits behind it.
  var isLast: Bool
}

/// A message that waits for its next try.
struct DueMessage: Sendable, Equatable {
  /// Where it is among all that do.
  struct Place: Sendable, Equatable {
    var due: WallTime
    var id: Int64

    /// Before all.
    static let start = Place(due: .distantPast, id: 0)
  }

  var key: String
  var place: Place

  /// The journal's number.
  var id: Int64 { place.id }
}

/// A part of what waits for its next try.
struct DuePage: Sendable, Equatable {
  var messages: [DueMessage]
  /// Nothing more waits behind it.
  var isLast: Bool
}
