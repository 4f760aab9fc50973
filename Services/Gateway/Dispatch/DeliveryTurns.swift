/// Limits that several dispatchers share: each try takes its turn.
protocol DeliveryTurns: Sendable {
  /// Waits for a turn.
  ///
  /// - Returns: true when the caller may try, and has to call ``end()`` after that; false when its task was cancelled.
  func begin() async -> Bool
  /// The try is over.
  func end() async
}

/// What tells of messages that were given up.
struct DeliveryNotice: Sendable {
  /// The message that tells of one, with the reason; nil when none is to. It becomes durable together with the end of that
  /// message.
  let make: @Sendable (PendingMessage, String) -> OutgoingMessage?
  /// Called when it is durable.
  let committed: @Sendable () async -> Void
}
