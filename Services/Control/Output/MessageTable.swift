import Messages

/// Messages of the journal, a line for each.
enum MessageTable {
  static func of(_ messages: [Omsconnector.V1.JournalMessage]) -> Table {
    var table = Table(
      .right("ID"), .left("WAY"), .left("STATUS"), .left("RECEIVED"), .right("TRIES"), .left("KEY"), .left("METHOD"),
      .left("REASON"))
    for message in messages {
      table.add(
        String(message.id), way(message.direction), status(message.status), message.receivedAt.map(seconds) ?? "",
        String(message.attemptCount), cut(message.key, 40), message.method, cut(message.reason, 100))
    }
    return table
  }

  /// All that is known of one, a line for each thing.
  static func details(_ message: Omsconnector.V1.JournalMessage) -> Table {
    var table = Table(.left("MESSAGE \(message.id)"), .left(status(message.status)))
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { table.add(name, value) }
    }
    add("way", way(message.direction) + (message.destination.isEmpty ? "" : ", \(message.destination)"))
    add("method", message.method)
    add("key", message.key)
    add("delivery id", message.deliveryId)
    add("received", message.receivedAt?.text)
    add("finished", message.finishedAt?.text)
    add("next try", message.nextAttemptAt?.text)
    add("reason", message.reason)
    add("before that", message.originalReason)
    add("tries", tries(message))
    add("replayed", replays(message.replayCount))
    add("handled by", message.handledAt.map { "\(message.handledBy.isEmpty ? "?" : message.handledBy), \($0.text)" })
    add("bytes", String(message.size))
    return table
  }

  /// Of more, the gateway keeps the first and the last ones.
  private static let keptAttempts = 20

  /// A replay counts anew; those before it are listed still.
  private static func tries(_ message: Omsconnector.V1.JournalMessage) -> String? {
    guard message.replayCount > 0 else { return message.attemptCount == 0 ? nil : String(message.attemptCount) }
    let all = message.attempts.count
    guard all > Int(message.attemptCount) else { return "\(message.attemptCount) since the replay" }
    return "\(message.attemptCount) since the replay (\(all)\(all < keptAttempts ? "" : " or more") in all)"
  }

  private static func replays(_ count: Int32) -> String? {
    switch count {
    case 0: nil
    case 1: "once"
    case 2: "twice"
    default: "\(count) times"
    }
  }

  static func attempts(_ message: Omsconnector.V1.JournalMessage) -> Table? {
    guard !message.attempts.isEmpty else { return nil }
    var table = Table(.left("TRIED AT"), .right("TOOK"), .left("ERROR"))
    for attempt in message.attempts {
      table.add(attempt.startedAt?.text ?? "", Milliseconds.format(attempt.durationMs), attempt.error)
    }
    return table
  }

  static func way(_ direction: Omsconnector.V1.MessageDirection) -> String {
    switch direction {
    case .incoming: "in"
    case .outgoing: "out"
    default: "?"
    }
  }

  static func status(_ status: Omsconnector.V1.MessageStatus) -> String {
    EnumText.short(status, prefix: "MESSAGE_STATUS_")
  }

  /// A list needs no fractions of a second.
  private static func seconds(_ time: Google.Protobuf.Timestamp) -> String {
    Google.Protobuf.Timestamp(seconds: time.seconds).text
  }

  static func cut(_ text: String, _ limit: Int) -> String { text.count > limit ? text.prefix(limit - 1) + "…" : text }
}
