import ServiceKit

/// What waits, what was given up and what became of messages, for `/metrics`.
enum QueueMetrics {
  /// One destination.
  private struct Queue {
    let labels: Exposition.Labels
    let depth: Int
    let oldestReceivedAt: WallTime?
    let state: QueueStates.State
  }

  /// A journal that can't be read leaves out what is read from it.
  static func write(_ states: QueueStates, now: WallTime, to text: inout Exposition) async {
    do {
      let (queues, givenUp) = (try await queues(states), try await states.store.givenUp())
      write(queues, now, to: &text)
      text.begin("omsconnector_given_up_messages", .gauge, "ERROR and DEAD messages that nobody has dealt with")
      text.sample("omsconnector_given_up_messages", [:], UInt64(givenUp))
    } catch {
      Log.warning("queues are not in the metrics", ["reason": LogValue(error)])
    }
    write(states.store.counters, to: &text)
  }

  private static func queues(_ states: QueueStates) async throws -> [Queue] {
    var queues: [Queue] = []
    for (destination, direction) in states.destinations {
      queues.append(
        Queue(
          labels: ["destination": destination.name, "direction": label(direction)],
          depth: try await states.store.depth(destination.name),
          oldestReceivedAt: try await states.store.oldestReceivedAt(destination.name),
          state: await states.state(direction, destination)))
    }
    return queues
  }

  private static func write(_ queues: [Queue], _ now: WallTime, to text: inout Exposition) {
    func gauge(_ name: String, _ help: String, _ value: (Queue) -> Double) {
      text.begin(name, .gauge, help)
      for queue in queues { text.sample(name, queue.labels, value(queue)) }
    }
    gauge("omsconnector_queue_messages", "Messages that wait for delivery") { Double($0.depth) }
    gauge("omsconnector_queue_oldest_age_seconds", "Since when the oldest of them waits; 0 when none does") {
      $0.oldestReceivedAt.map { max(0, Double((now - $0).nanoseconds) / 1e9) } ?? 0
    }
    gauge("omsconnector_queue_away", "1 while nothing is tried because the destination does not answer") {
      if case .away = $0.state { 1 } else { 0 }
    }
    gauge("omsconnector_queue_held", "1 while nothing is tried because somebody wants it so, or there is no OMS") {
      if case .held = $0.state { 1 } else { 0 }
    }
  }

  private static func write(_ counters: MessageCounters, to text: inout Exposition) {
    text.begin("omsconnector_messages_total", .counter, "Messages that came to this status, replayed ones again")
    for direction in MessageCounters.directions {
      for status in MessageCounters.statuses {
        let name = status.description.dropFirst("MESSAGE_STATUS_".count).lowercased()
        text.sample(
          "omsconnector_messages_total", ["direction": label(direction), "status": name],
          counters.count(direction, status))
      }
    }
  }

  private static func label(_ direction: MessageDirection) -> String { direction == .incoming ? "in" : "out" }
}
