import Messages
import Storage

/// The journal in the gateway's store: what came in, what is to go out, and what became of it.
///
/// Every message is one row, in the order in which it became durable. The rows that are `PENDING` are the queue.
struct JournalStore: Sendable {
  let database: Database
  /// What has come to an end in this process.
  let counters = MessageCounters()

  /// Parts of the journal, each of which has its own order.
  var partitions: Range<Int> { 0..<JournalPartition.count(on: database.engine) }

  /// Where a message is.
  func partition(of id: Int64) -> Int { JournalPartition.of(id, on: database.engine) }

  /// Where messages of a key are.
  func partition(key: String, deliveryID: String) -> Int {
    JournalPartition.of(key: key, deliveryID: deliveryID, on: database.engine)
  }

  /// What orders a write about a partition among the others of its commit; nil where there is one partition.
  func writeKey(_ partition: Int) -> String? { partitions.count == 1 ? nil : JournalPartition.key(partition) }

  /// Characters of a reason that are kept.
  static let reasonCharacters = 1_000

  /// How long a message without an id is the same as another one with its content: for as long as a bus that got no answer tries
  /// again. Later it is news, such as a state that has come back.
  static let sameWithoutID = Duration.seconds(600)

  /// Makes a message of the OMS durable, unless the same one is there already: same id, same content. One that nobody consumed
  /// when it came first waits from now on if somebody does today.
  ///
  /// - Throws: `StorageError`; the message is not in the journal then, as far as is known.
  func receive(_ message: IncomingMessage, at now: WallTime) async throws -> Receipt {
    let key = writeKey(partition(key: message.key, deliveryID: message.deliveryID))
    let receipt = try await database.write(key: key) { connection in
      if let id = try Self.insert(message, now, connection) {
        return Receipt(id: id, isDuplicate: false, status: message.status, reason: message.reason, result: [])
      }
      let receipt = try Self.known(message, connection)
      if !message.hasID, try Self.letGo(receipt.id, message, now, connection),
        let id = try Self.insert(message, now, connection)
      {
        return Receipt(id: id, isDuplicate: false, status: message.status, reason: message.reason, result: [])
      }
      let isWanted = receipt.status == .ignored && message.status == .pending
      return isWanted ? try Self.takeUp(message, receipt, connection) : receipt
    }
    if !receipt.isDuplicate, receipt.status != .pending { counters.add(.incoming, receipt.status) }
    return receipt
  }

  // MARK: Delivery

  /// What waits for a destination in a partition behind `id`, the oldest first.
  func pending(
    destination: String, partition: Int, after id: Int64, limits: PageLimits
  ) async throws -> PendingPage {
    try await database.read { connection in
      try connection.withStatement(Self.selectPending) { statement in
        try statement.bind(destination, at: 1)
        try statement.bind(id, at: 2)
        try statement.bind(Int64(limits.rows) + 1, at: 3)
        try statement.bind(Int64(partition), at: 4)
        return try Self.page(statement, limits)
      }
    }
  }

  /// What waits for a destination with this key, from behind one message up to another, the oldest first.
  func pending(
    destination: String, partition: Int, key: String, after id: Int64, through last: Int64, limits: PageLimits
  ) async throws -> PendingPage {
    try await database.read { connection in
      try connection.withStatement(Self.selectPendingOfKey) { statement in
        try statement.bind(destination, at: 1)
        try statement.bind(id, at: 2)
        try statement.bind(Int64(limits.rows) + 1, at: 3)
        try statement.bind(key, at: 4)
        try statement.bind(last, at: 5)
        try statement.bind(Int64(partition), at: 6)
        return try Self.page(statement, limits)
      }
    }
  }

  /// One message, if it waits.
  func pending(_ id: Int64) async throws -> PendingMessage? {
    try await database.read { connection in
      try connection.withStatement(Self.selectPendingByID) { statement in
        try statement.bind(id, at: 1)
        try Self.bindPartition(of: id, at: 2, statement, connection)
        return try statement.step() ? Self.pendingMessage(statement) : nil
      }
    }
  }

  /// Notes the end of a delivery. A message that is not pending any more stays as it is, and so does one that was replayed since:
  /// a gateway that can't write may have tried it so long ago that another one has delivered it.
  ///
  /// - Parameters:
  ///   - replay: as which the message was delivered (``PendingMessage/replayCount``).
  ///   - notice: a message that is to tell of it, and becomes durable together with it, so that no crash can lose or double it.
  func finish(
    _ id: Int64, replay: Int, _ status: MessageStatus, attempts: AttemptLog, reason: String, result: [UInt8],
    at now: WallTime,
    notice: OutgoingMessage? = nil
  ) async throws {
    let partition = partition(of: id)
    // Without a notice no partition is locked.
    let direction = try await database.write(key: notice == nil ? nil : writeKey(partition)) { connection in
      let direction = try Self.finish(
        id, replay: replay, status, attempts: attempts, reason: reason, result: result, at: now, connection)
      if direction != nil, let notice { _ = try Self.insert(notice, in: partition, at: now, connection) }
      return direction
    }
    if let direction { counters.add(direction, status) }
  }

  /// As ``finish(_:replay:_:attempts:reason:result:at:notice:)``, within a transaction.
  ///
  /// - Returns: its direction; nil when the message stays as it is.
  static func finish(
    _ id: Int64, replay: Int, _ status: MessageStatus, attempts: AttemptLog, reason: String, result: [UInt8],
    at now: WallTime,
    _ connection: Connection
  ) throws -> MessageDirection? {
    try connection.withStatement(updateFinished) { statement in
      try statement.bind(Int64(status.rawValue), at: 1)
      try statement.bind(now.nanoseconds, at: 2)
      try statement.bind(Int64(attempts.count), at: 3)
      try statement.bind(attempts.serialized, at: 4)
      try statement.bind(String(reason.prefix(reasonCharacters)), at: 5)
      try statement.bind(result, at: 6)
      try statement.bind(id, at: 7)
      try bindPartition(of: id, at: 8, statement, connection)
      try statement.bind(Int64(replay), at: 9)
      return try statement.step() ? direction(statement, 0) : nil
    }
  }

  /// Notes an attempt that failed, and when the next is due.
  ///
  /// - Parameter replay: as in ``finish(_:replay:_:attempts:reason:result:at:notice:)``.
  func postpone(_ id: Int64, replay: Int, attempts: AttemptLog, reason: String, until next: WallTime) async throws {
    try await database.write { connection in
      try connection.withStatement(Self.updatePostponed) { statement in
        try statement.bind(next.nanoseconds, at: 1)
        try statement.bind(Int64(attempts.count), at: 2)
        try statement.bind(attempts.serialized, at: 3)
        try statement.bind(String(reason.prefix(Self.reasonCharacters)), at: 4)
        try statement.bind(id, at: 5)
        try Self.bindPartition(of: id, at: 6, statement, connection)
        try statement.bind(Int64(replay), at: 7)
        try statement.run()
      }
    }
  }

  /// What became of a message; nil when there is none of this number.
  func receipt(_ id: Int64) async throws -> Receipt? {
    try await database.read { connection in
      try connection.withStatement(Self.selectReceipt) { statement in
        try statement.bind(id, at: 1)
        try Self.bindPartition(of: id, at: 2, statement, connection)
        return try statement.step() ? Self.receipt(statement) : nil
      }
    }
  }
}

/// The store contradicts itself.
enum JournalError: Error, CustomStringConvertible {
  case lost(deliveryID: String)

  var description: String {
    switch self {
    case .lost(let id): "the journal has the delivery \(id) and has it not: look for what else writes to the store"
    }
  }
}
