import Storage

extension GatewaySchema {
  /// Of many keys that wait for their next try, the dispatcher finds those whose time has come.
  static let dueMessages = Migration(
    "messages by the time of their next try",
    [
      """
      CREATE INDEX journal_due ON journal (destination, next_attempt_at, id)
      WHERE status = 1 AND next_attempt_at IS NOT NULL
      """
    ])
}
