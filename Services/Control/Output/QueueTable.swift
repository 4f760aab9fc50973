import Messages

/// What waits: by destination, and by key.
enum QueueTable {
  static func destinations(_ queues: [Omsconnector.V1.MessageQueue]) -> Table {
    var table = Table(
      .left("DESTINATION"), .left("WAY"), .right("DEPTH"), .right("OLDEST"), .right("KEYS"), .left("STATE"),
      .left("LAST ERROR"))
    for queue in queues {
      table.add(
        queue.destination, MessageTable.way(queue.direction), String(queue.depth), Age.text(queue.oldestReceivedAt),
        String(queue.keyCount), state(queue),
        MessageTable.cut(queue.lastError, 100))
    }
    return table
  }

  private static func state(_ queue: Omsconnector.V1.MessageQueue) -> String {
    if queue.held { return "held" }
    return queue.broken ? "away, next try \(queue.nextAttemptAt?.text ?? "soon")" : "delivering"
  }

  /// nil when nothing waits.
  static func keys(_ queues: [Omsconnector.V1.MessageQueue]) -> Table? {
    var table = Table(
      .left("KEY"), .left("DESTINATION"), .right("DEPTH"), .right("OLDEST"), .right("MESSAGE"), .left("REASON"))
    for queue in queues {
      for key in queue.keys {
        table.add(
          key.key.isEmpty ? "(in no order)" : MessageTable.cut(key.key, 60), queue.destination,
          String(key.depth) + (key.more ? "+" : ""), Age.text(key.oldestReceivedAt), String(key.oldestId),
          MessageTable.cut(key.oldestReason, 100))
      }
    }
    return table.rows.isEmpty ? nil : table
  }

  /// nil when no service has an outbox.
  static func outboxes(_ outboxes: [Omsconnector.V1.ServiceOutbox]) -> Table? {
    var table = Table(.left("OUTBOX OF"), .right("DEPTH"), .right("OLDEST"), .right("REFUSED"), .left(""))
    for outbox in outboxes {
      guard outbox.error.isEmpty else {
        table.add(outbox.service, "?", "", "?", outbox.error)
        continue
      }
      table.add(
        outbox.service, String(outbox.depth) + (outbox.more ? "+" : ""), Age.text(outbox.oldestAddedAt),
        String(outbox.refused), outbox.refused == 0 ? "" : "see omsctl outbox list")
    }
    return table.rows.isEmpty ? nil : table
  }
}
