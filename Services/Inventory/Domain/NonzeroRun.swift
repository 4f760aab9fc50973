/// A NONZERO of an aggregate, in one message or several: what is known of it so far.
///
/// Messages of aggregates don't say how many they are (connector.md §5), and what a NONZERO leaves out is known after its last one
/// only. Decided (magento-rules.md §6): a message is taken for the whole when it is the first of its `created_on` and has fewer
/// than ``partSize`` rows – who cuts a large snapshot cuts it into parts of at least that many – and what it leaves out is zeroed
/// with it. A larger one, and each that follows another one of the same `created_on`, leaves that open: until a later FULL or
/// NONZERO of the aggregate comes, or ``idleTime`` has passed since the last part and nothing of the aggregate waits in the
/// gateway, or has failed there: what a part in ERROR names is not left out.
struct NonzeroRun: Sendable, Equatable {
  /// Rows of a message that may be one of several.
  static let partSize = 1_000
  /// Nanoseconds.
  static let idleTime: Int64 = 15 * 60 * 1_000_000_000

  var createdOn: CreatedOn
  /// When its last part came; nanoseconds since 1970.
  var lastAt: Int64
  var parts: Int64
  /// Rows of its parts.
  var named: Int64
  /// Whether what it leaves out is still to be zeroed.
  var isOpen: Bool
}

/// An open NONZERO that has had no part for a while.
struct IdleRun: Sendable, Equatable {
  let aggregateId: String
  let createdOn: CreatedOn
  /// The `created_on` with which its parts came, where that was another one, see ``ReleasedSnapshots``.
  var origins: [CreatedOn] = []
}

/// When so much would become 0 that it rather is a mistake.
///
/// More than a fifth of an aggregate's SKUs (magento-rules.md §6). Aggregates of a few SKUs are left alone: there a fifth is a
/// handful, which sells out on an ordinary day.
enum ZeroGuard {
  static let smallestAggregate = 20

  static func holds(zeros: Int64, of skus: Int64) -> Bool { skus >= smallestAggregate && zeros * 5 > skus }
}
