import Messages

/// The messages that somebody follows: each is shown when it comes, and once more when it has ended.
struct MessageWatch {
  /// Messages that wait and are looked at again; of more, the oldest are left.
  static let limit = 100

  /// Of the filter; empty for all.
  let statuses: Set<Omsconnector.V1.MessageStatus>
  /// Numbers of messages that waited when they were last looked at, the oldest first.
  private(set) var waiting: [Int64] = []

  init(_ filter: Omsconnector.V1.MessageFilter) { statuses = Set(filter.statuses) }

  /// - Returns: those of the messages that are to be shown.
  mutating func came(_ messages: [Omsconnector.V1.JournalMessage]) -> [Omsconnector.V1.JournalMessage] {
    waiting += messages.filter { $0.status == .pending }.map(\.id)
    waiting.removeFirst(max(0, waiting.count - Self.limit))
    return messages.filter(isWanted)
  }

  /// A message that waited as it is now.
  ///
  /// - Parameter message: nil when it is not in the journal any more.
  /// - Returns: whether it is to be shown.
  mutating func lookedAgain(_ id: Int64, _ message: Omsconnector.V1.JournalMessage?) -> Bool {
    if message?.status == .pending { return false }
    waiting.removeAll { $0 == id }
    return message.map(isWanted) ?? false
  }

  private func isWanted(_ message: Omsconnector.V1.JournalMessage) -> Bool {
    statuses.isEmpty || statuses.contains(message.status)
  }
}
