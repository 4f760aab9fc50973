import Storage

extension GatewaySchema {
  /// What an operator looks for is rare among all that went well: IGNORED, ERROR and DEAD messages, in their order.
  static let journalSearch = Migration(
    "search of the journal", ["CREATE INDEX journal_trouble ON journal (status, id) WHERE status > 2"])
}
