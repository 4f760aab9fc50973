import Messages
import Storage

extension JournalStore {
  /// What waits for one destination, as far as the journal knows.
  struct Queue: Sendable {
    struct Key: Sendable, Equatable {
      var key: String
      var depth: Int
      var isMore: Bool
      var oldestID: Int64
      var oldestReceivedAt: WallTime
      var oldestReason: String
    }

    var depth = 0
    var oldestReceivedAt: WallTime?
    var oldestReason = ""
    var keys: [Key] = []
    var keyCount = 0
  }

  /// Of a million waiting messages, so many are counted at once, in some milliseconds of a reading thread.
  private static let countedAtOnce: Int64 = 100_000
  /// So many are looked at for their keys.
  private static let examined: Int64 = 10_000
  private static let examinedOfPartition: Int64 = 2_500
  private static let countedGivenUp: Int64 = 10_000
  /// So many of one key are counted.
  private static let countedOfKey: Int64 = 1_000

  /// Destinations for which anything waits, in no time however much it is.
  func pendingDestinations() async throws -> [String] {
    try await database.read { connection in
      var found: [String] = []
      let sql = "SELECT min(destination) FROM journal WHERE status = 1 AND destination > ?1"
      let first = "SELECT min(destination) FROM journal WHERE status = 1"
      while true {
        let next: String? = try connection.withStatement(found.isEmpty ? first : sql) { statement in
          if let last = found.last { try statement.bind(last, at: 1) }
          return try statement.step() && !statement.isNull(0) ? statement.text(0) : nil
        }
        guard let next else { return found }
        found.append(next)
      }
    }
  }

  /// - Parameter keys: to name at most.
  func queue(_ destination: String, keys: Int) async throws -> Queue {
    var queue = Queue()
    queue.depth = try await depth(destination)
    let groups = try await oldestKeys(destination)
    queue.keyCount = groups.count
    for group in groups.prefix(keys) {
      if let key = try await self.key(group.key, destination, oldest: group.id) { queue.keys.append(key) }
    }
    if let first = groups.first, let oldest = try await key(first.key, destination, oldest: first.id) {
      (queue.oldestReceivedAt, queue.oldestReason) = (oldest.oldestReceivedAt, oldest.oldestReason)
    }
    return queue
  }

  /// When what waits for a destination for longest was received; nil when nothing waits.
  func oldestReceivedAt(_ destination: String) async throws -> WallTime? {
    let sql = """
      SELECT id, received_at FROM journal WHERE destination = ?1 AND partition = ?2 AND status = 1 ORDER BY id LIMIT 1
      """
    return try await database.read { [partitions] connection in
      var oldest: (id: Int64, receivedAt: Int64)?
      for partition in partitions {
        try connection.withStatement(sql) { statement in
          try statement.bind(destination, at: 1)
          try statement.bind(Int64(partition), at: 2)
          while try statement.step() {
            let (id, receivedAt) = (statement.integer(0), statement.integer(1))
            if oldest.map({ id < $0.id }) ?? true { oldest = (id, receivedAt) }
          }
        }
      }
      return oldest.map { WallTime(nanoseconds: $0.receivedAt) }
    }
  }

  /// Messages that were given up and are not dealt with; of failed calls nobody expects anything any more. Of each kind, the last
  /// ``countedGivenUp`` are looked at.
  func givenUp() async throws -> Int {
    let sql = """
      SELECT count(*) FROM
        (SELECT destination FROM journal WHERE status = ?1 AND status > 2 ORDER BY id DESC LIMIT ?2) AS last
      WHERE destination <> ?3
      """
    return try await database.read { connection in
      var count: Int64 = 0
      for status in [MessageStatus.error, .dead] {
        count += try connection.withStatement(sql) { statement in
          try statement.bind(Int64(status.rawValue), at: 1)
          try statement.bind(Self.countedGivenUp, at: 2)
          try statement.bind(OutgoingMessage.callDestination, at: 3)
          return try statement.step() ? statement.integer(0) : 0
        }
      }
      return Int(min(count, Self.countedGivenUp))
    }
  }

  func depth(_ destination: String) async throws -> Int {
    var depth = 0
    for partition in partitions { depth += try await self.depth(destination, partition) }
    return depth
  }

  private func depth(_ destination: String, _ partition: Int) async throws -> Int {
    let sql = """
      SELECT count(*), max(id) FROM (
        SELECT id FROM journal WHERE destination = ?1 AND partition = ?4 AND status = 1 AND id > ?2 ORDER BY id LIMIT ?3
      ) AS part
      """
    var (depth, last) = (0, Int64.min)
    while true {
      let after = last
      let (count, end) = try await database.read { connection in
        try connection.withStatement(sql) { statement in
          try statement.bind(destination, at: 1)
          try statement.bind(after, at: 2)
          try statement.bind(Self.countedAtOnce, at: 3)
          try statement.bind(Int64(partition), at: 4)
          return try statement.step() ? (statement.integer(0), statement.integer(1)) : (0, 0)
        }
      }
      depth += Int(count)
      last = end
      if count < Self.countedAtOnce { return depth }
    }
  }

  /// Keys among the oldest messages, and the oldest of each, the oldest first.
  private func oldestKeys(_ destination: String) async throws -> [(key: String, id: Int64)] {
    let sql = """
      SELECT message_key, id FROM journal WHERE destination = ?1 AND partition = ?3 AND status = 1 ORDER BY id LIMIT ?2
      """
    return try await database.read { [partitions] connection in
      var oldest: [String: Int64] = [:]
      for partition in partitions {
        try connection.withStatement(sql) { statement in
          try statement.bind(destination, at: 1)
          try statement.bind(max(Self.examined / Int64(partitions.count), Self.examinedOfPartition), at: 2)
          try statement.bind(Int64(partition), at: 3)
          while try statement.step() {
            let id = statement.integer(1)
            oldest[statement.text(0), default: id] = min(oldest[statement.text(0)] ?? id, id)
          }
        }
      }
      return oldest.map { ($0.key, $0.value) }.sorted { $0.id < $1.id }
    }
  }

  /// nil when the message has ended meanwhile.
  private func key(_ key: String, _ destination: String, oldest: Int64) async throws -> Queue.Key? {
    let count = """
      SELECT count(*) FROM (
        SELECT id FROM journal WHERE message_key = ?1 AND id >= ?2 AND destination || '' = ?3 AND status = 1
        ORDER BY id LIMIT ?4) AS part
      """
    let first = "SELECT received_at, reason FROM journal WHERE id = ?1 AND partition = ?2 AND status = 1"
    return try await database.read { connection in
      let depth = try connection.withStatement(count) { statement in
        try statement.bind(key, at: 1)
        try statement.bind(oldest, at: 2)
        try statement.bind(destination, at: 3)
        try statement.bind(Self.countedOfKey + 1, at: 4)
        return try statement.step() ? statement.integer(0) : 0
      }
      return try connection.withStatement(first) { statement in
        try statement.bind(oldest, at: 1)
        try Self.bindPartition(of: oldest, at: 2, statement, connection)
        guard try statement.step() else { return nil }
        return Queue.Key(
          key: key, depth: Int(min(depth, Self.countedOfKey)), isMore: depth > Self.countedOfKey, oldestID: oldest,
          oldestReceivedAt: WallTime(nanoseconds: statement.integer(0)),
          oldestReason: MaskedText.line(statement.text(1)))
      }
    }
  }
}
