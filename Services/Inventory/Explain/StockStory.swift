import Messages

/// Tells what became of each message that touched a SKU, from what changed (the history) and from what came (the journal).
struct StockStory: Sendable {
  typealias Verdict = Omsconnector.V1.StockVerdict

  struct Event: Sendable, Equatable {
    /// Nanoseconds since 1970, as all times here.
    var at: Int64
    /// Where it stands among the others: when its message came, though that may have waited before it was applied.
    var place: Int64
    var verdict: Verdict
    var quantity: Int64 = 0
    var unlimited = false
    var mode: SnapshotMode
    var createdOn: Int64
    var previousQuantity: Int64 = 0
    /// 0 of a call.
    var journalID: Int64 = 0
    var explanation: String
  }

  /// In the order of time.
  private(set) var events: [Event] = []
  /// The entry as it was after the events so far; nil when nothing is known of it.
  private var entry: StoredStock?

  /// - Parameters:
  ///   - changes: the newest first, also those before and behind the messages.
  ///   - messages: the newest first.
  ///   - now: the entry as it is; nil when there is none.
  init(changes: [StockHistory.Change], messages: [TouchingMessage], now current: StoredStock?, isWhole: Bool) {
    var changes = Array(changes.reversed())
    let first = changes.first?.previous ?? current
    for message in messages.reversed() {
      // A change comes a moment after its message, and before the next one of the aggregate: they are consumed in order.
      if let index = changes.firstIndex(where: { message.made($0) }) {
        for change in changes[..<index] { tell(change, nil) }
        tell(changes[index], message)
        changes.removeFirst(index + 1)
        continue
      }
      for change in changes.prefix(while: { $0.at < message.receivedAt }) {
        tell(change, nil)
        changes.removeFirst()
      }
      tell(message, first: isWhole ? first : nil, next: changes.first?.previous ?? current)
    }
    for change in changes { tell(change, nil) }
  }

  private mutating func tell(_ change: StockHistory.Change, _ message: TouchingMessage?) {
    let value = change.unlimited ? "unlimited" : "\(change.quantity)"
    let before = change.previous.unlimited ? "unlimited" : "\(change.previous.quantity)"
    let times =
      "its created_on \(text(change.createdOn)) is not before the entry's \(text(change.previous.createdOn))"
    var explanation =
      change.zeroed
      ? "a NONZERO left the SKU out, which sets it to 0: before, it was \(before); \(times)"
      : "applied: \(before) became \(value), because \(times)"
    if message == nil {
      explanation += "; none of the journal's messages that were looked at says so: it was a call, or an older one"
    }
    events.append(
      Event(
        at: change.at, place: message?.receivedAt ?? change.at, verdict: change.zeroed ? .zeroed : .applied,
        quantity: change.quantity,
        unlimited: change.unlimited, mode: change.mode, createdOn: change.createdOn,
        previousQuantity: change.previous.quantity, journalID: message?.journalID ?? 0, explanation: explanation))
    entry = StoredStock(quantity: change.quantity, unlimited: change.unlimited, createdOn: change.createdOn)
  }

  /// A message that changed nothing that the history knows of.
  ///
  /// - Parameters:
  ///   - first: the SKU's first value, when it may be this message's.
  ///   - next: the entry as it was at some time after the message.
  private mutating func tell(_ message: TouchingMessage, first: StoredStock?, next: StoredStock?) {
    var event = Event(
      at: message.receivedAt, place: message.receivedAt, verdict: .refused, mode: message.mode,
      createdOn: message.createdOn,
      journalID: message.journalID, explanation: "")
    switch message.said {
    case .value(let quantity, let unlimited): (event.quantity, event.unlimited) = (quantity, unlimited)
    case .invalid, .leftOut, .unknown: break
    }
    if message.status != .success {
      guard message.said != .leftOut else { return }
      event.explanation =
        message.status == .pending
        ? "it waits to be consumed" : "the whole message was refused: \(message.reason)"
    } else if message.createdOn > message.receivedAt + HeldSnapshots.longestAhead {
      event.explanation =
        "its created_on \(text(message.createdOn)) was more than ten minutes ahead of \(text(message.receivedAt)), when it came: "
        + "it went to the operator instead of being applied"
    } else {
      guard judge(message, &event, first: first, next: next) else { return }
    }
    events.append(event)
  }

  /// - Returns: false when there is nothing to tell.
  private mutating func judge(
    _ message: TouchingMessage, _ event: inout Event, first: StoredStock?, next: StoredStock?
  ) -> Bool {
    switch message.said {
    case .invalid(let reason):
      event.explanation = "the row can't be used: \(reason)"
    case .unknown:
      event.verdict = .unspecified
      event.explanation =
        "the journal shows the beginning of this message only, and the SKU is not in there: whether it names the SKU can't be told"
    case .leftOut:
      guard let entry else { return false }
      if message.createdOn < entry.createdOn {
        event.verdict = .stale
        event.explanation =
          "left out by a NONZERO, which would set it to 0; but its created_on \(text(message.createdOn)) is before the entry's "
          + "\(text(entry.createdOn))"
      } else {
        event.verdict = .unchanged
        event.explanation =
          entry.unlimited
          ? "left out by a NONZERO, which leaves unlimited SKUs alone"
          : "left out by a NONZERO: it was \(entry.quantity) already, or the zeroing waits for the operator"
      }
    case .value(let quantity, let unlimited):
      judge(quantity, unlimited, message, &event, first: first, next: next)
    }
    return true
  }

  private mutating func judge(
    _ quantity: Int64, _ unlimited: Bool, _ message: TouchingMessage, _ event: inout Event, first: StoredStock?,
    next: StoredStock?
  ) {
    let said = StoredStock(quantity: quantity, unlimited: unlimited, createdOn: message.createdOn)
    guard let entry else {
      if let first, first.hasValue(of: said), message.createdOn <= first.createdOn {
        event.verdict = .applied
        event.explanation =
          "the SKU's first value: there was no entry to compare its created_on \(text(message.createdOn)) with"
        self.entry = said
      } else if let next, message.createdOn < next.createdOn {
        event.verdict = .stale
        event.explanation =
          "its created_on \(text(message.createdOn)) is before the entry's \(text(next.createdOn)): it would have undone what is newer"
      } else {
        event.verdict = .unchanged
        event.explanation =
          "the entry had this value, or was given it first, by a created_on of \(text(message.createdOn))"
        self.entry = said
      }
      return
    }
    let isStale = message.createdOn < entry.createdOn || !entry.hasValue(of: said)
    if isStale {
      // Where the value is another one and was not taken over, the entry was newer than the messages before tell.
      let held = message.createdOn < entry.createdOn ? entry.createdOn : max(entry.createdOn, next?.createdOn ?? 0)
      event.verdict = .stale
      event.explanation =
        "its created_on \(text(message.createdOn)) is before the entry's \(text(held)): it would have undone what is newer"
    } else {
      event.verdict = .unchanged
      event.explanation =
        "the entry was \(unlimited ? "unlimited" : "\(quantity)") already; its created_on moved from \(text(entry.createdOn)) to "
        + text(message.createdOn)
      self.entry = said
    }
  }

  private func text(_ nanoseconds: Int64) -> String {
    Google.Protobuf.Timestamp(nanosecondsSinceEpoch: nanoseconds).text
  }
}

extension StoredStock {
  fileprivate func hasValue(of other: StoredStock) -> Bool {
    quantity == other.quantity && unlimited == other.unlimited
  }
}

extension TouchingMessage {
  /// Whether a change of the history is this message's.
  fileprivate func made(_ change: StockHistory.Change) -> Bool {
    guard status == .success, change.createdOn == createdOn, change.mode == mode, change.at >= receivedAt else {
      return false
    }
    switch said {
    case .value(let quantity, let unlimited):
      return !change.zeroed && change.quantity == quantity && change.unlimited == unlimited
    case .leftOut: return change.zeroed
    case .invalid: return false
    // Of what the journal doesn't show, what the history says is good enough.
    case .unknown: return true
    }
  }
}
