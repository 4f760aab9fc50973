import EventLoop
import Messages

/// How often a message was tried, and what came of the first try and of the last ones.
struct AttemptLog: Sendable, Equatable {
  /// Attempts that are kept; of more, those after the first go.
  static let kept = 20
  /// Characters of an error that are kept.
  static let errorCharacters = 500

  /// One try.
  struct Attempt: Sendable, Equatable {
    var startedAt: WallTime
    var duration: Duration
    /// Why it failed; empty for a success.
    var error: String
  }

  /// Of all tries, those that are not kept included.
  private(set) var count: Int
  private(set) var attempts: [Attempt]

  init() {
    count = 0
    attempts = []
  }

  mutating func add(_ attempt: Attempt) {
    var attempt = attempt
    attempt.error = String(attempt.error.prefix(Self.errorCharacters))
    count += 1
    if attempts.count == Self.kept { attempts.remove(at: 1) }
    attempts.append(attempt)
  }
}

extension AttemptLog {
  /// As ``serialized`` wrote it.
  ///
  /// - Throws: `MessageError` when a column of the store is damaged.
  init(count: Int, serialized: [UInt8]) throws(MessageError) {
    self.count = count
    guard !serialized.isEmpty else {
      attempts = []
      return
    }
    let log = try Omsconnector.Internal.V1.AttemptLog(serialized: serialized)
    attempts = try log.attempts.map { message throws(MessageError) in
      guard let startedAt = WallTime(message.startedAt ?? .init()),
        (0...Self.longestMilliseconds).contains(message.durationMs)
      else { throw .malformed(field: "attempts", reason: "a time that cannot be") }
      return Attempt(startedAt: startedAt, duration: .milliseconds(message.durationMs), error: message.error)
    }
  }

  /// A century: what is more can't be turned into a duration.
  private static var longestMilliseconds: Double { 3.2e12 }

  var serialized: [UInt8] { Omsconnector.Internal.V1.AttemptLog(attempts: messages).serialized() }

  /// For those who ask.
  var messages: [Omsconnector.V1.DeliveryAttempt] {
    attempts.map {
      .init(startedAt: $0.startedAt.timestamp, durationMs: Double($0.duration.nanoseconds) / 1e6, error: $0.error)
    }
  }
}
