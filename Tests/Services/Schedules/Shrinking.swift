extension Schedule {
  /// Drops what is not needed for the schedule to fail.
  ///
  /// - Parameters:
  ///   - attempts: schedules that are tried at most.
  ///   - fails: whether one fails still.
  func shrunk(attempts: Int = 3_000, _ fails: (Schedule) async throws -> Bool) async rethrows -> Schedule {
    var best = self
    var left = attempts
    var isSmaller = true
    while isSmaller {
      isSmaller = false
      for smaller in best.smaller() {
        guard left > 0 else { return best }
        left -= 1
        if try await fails(smaller) {
          best = smaller
          isSmaller = true
          break
        }
      }
    }
    return best
  }

  /// The schedule without some of its steps or rows, the smallest first.
  private func smaller() -> [Schedule] {
    var found: [Schedule] = []
    var count = rounds.count / 2
    while count > 0 {
      for start in stride(from: rounds.count - count, through: 0, by: -count) {
        var smaller = self
        smaller.rounds.removeSubrange(start..<start + count)
        found.append(smaller)
      }
      count /= 2
    }
    for (index, round) in rounds.enumerated() where round.count > 1 {
      var inTurn = self
      inTurn.rounds.replaceSubrange(index...index, with: round.map { [$0] })
      found.append(inTurn)
      for place in round.indices {
        var smaller = self
        smaller.rounds[index].remove(at: place)
        found.append(smaller)
      }
    }
    return found + withoutARow()
  }

  private func withoutARow() -> [Schedule] {
    var messages: [StockMessage] = []
    for case .some(let message) in rounds.joined().map(\.message) where !messages.contains(message) {
      messages.append(message)
    }
    return messages.flatMap { message in
      message.rows.indices.map { row in
        var smaller = message
        smaller.rows.remove(at: row)
        return replacing(message, with: smaller)
      }
    }
  }

  private func replacing(_ message: StockMessage, with other: StockMessage) -> Schedule {
    var schedule = self
    schedule.rounds = rounds.map { round in
      round.map { step in
        guard step.message == message else { return step }
        switch step {
        case .deliver(_, let replica): return .deliver(other, replica: replica)
        case .die(_, let replica): return .die(other, replica: replica)
        default: return step
        }
      }
    }
    return schedule
  }
}

extension Step {
  fileprivate var message: StockMessage? {
    switch self {
    case .deliver(let message, _), .die(let message, _): message
    default: nil
    }
  }
}
