/// How long a destination's messages are tried.
struct DeliveryPolicy: Sendable {
  /// Between the tries of one message.
  var backOff: BackOff
  /// Tries that ``DeliveryOutcome/failed(_:)`` counts, after which the message is given up; nil for as many as its lifetime
  /// allows.
  var maximumAttempts: Int?
  /// From the first try since the message became durable or was replayed; after it, a try that fails is the last. nil for
  /// ever.
  var lifetime: Duration?
  /// When all tries have found the destination away for so long, the lifetime counts from when a message became durable or was
  /// replayed, and messages are given up without a try. So a destination that is only late after a long time in which nobody
  /// tried, e.g. because the connector was stopped, still gets what is older than the lifetime.
  var patience: Duration
  /// What a message is that was given up.
  var givenUp: MessageStatus
  /// A key's next message waits until the end of the one before is durable, so that after a crash no message but the last one
  /// is delivered again. Where duplicates have no second effect, this is not worth the wait.
  var settlesBeforeNext: Bool

  /// Messages of the OMS for a service. A poisonous one is tried for about two minutes, and its key goes on.
  static let incoming = DeliveryPolicy(
    backOff: BackOff(first: .milliseconds(500), limit: .seconds(30)), maximumAttempts: 10, lifetime: nil,
    patience: .zero, givenUp: .error, settlesBeforeNext: false)

  /// Messages for the OMS: for 48 hours (connector.md §6, "Retry MC→OMS"), at last every 15 minutes.
  static let outgoing = DeliveryPolicy(
    backOff: BackOff(first: .seconds(1), limit: .seconds(15 * 60)), maximumAttempts: nil, lifetime: .seconds(48 * 3600),
    patience: .seconds(3600), givenUp: .dead, settlesBeforeNext: true)
}
