import Storage

/// What the gateway that delivers from a partition is to do about a message there, which it may have read already. Kept in the
/// store, so that any gateway may ask for it; on SQLite there is one, which asks itself.
struct HolderTask: Sendable, Equatable {
  enum Kind: Int64, Sendable {
    // Kept in the store: these numbers stay.
    /// The message waits again.
    case again = 1
    /// To be given up, unless it is being delivered right now.
    case discard = 2
  }

  /// The message's number.
  let id: Int64
  let kind: Kind
  /// One that was added again is another one.
  var version: Int64 = 1
  /// Why it is to be discarded, and who says so.
  var reason = ""
  var handler = ""
  /// Of the message, as it is now; empty when it is gone.
  var destination = ""
  var key = ""
  var isPending = false

  /// Adds tasks about messages of one partition; the holder sees them soon. To be called within the transaction that they go with.
  static func add(
    _ kind: Kind, _ ids: some Collection<Int64>, reason: String = "", handler: String = "", _ connection: Connection
  ) throws {
    guard connection.engine == .postgresql, let first = ids.first else { return }
    let partition = JournalPartition.of(first, on: connection.engine)
    let insert = """
      INSERT INTO journal_task (partition, id, kind, reason, handler, version) VALUES (?1, ?2, ?3, ?4, ?5, 1)
      ON CONFLICT (partition, id, kind) DO UPDATE
        SET version = journal_task.version + 1, reason = excluded.reason, handler = excluded.handler
      """
    try connection.withStatement(insert) { statement in
      for id in ids {
        try statement.bind(Int64(partition), at: 1)
        try statement.bind(id, at: 2)
        try statement.bind(kind.rawValue, at: 3)
        try statement.bind(reason, at: 4)
        try statement.bind(handler, at: 5)
        try statement.run()
      }
    }
    try connection.withStatement("UPDATE journal_partition SET changes = changes + 1 WHERE partition = ?1") {
      statement in
      try statement.bind(Int64(partition), at: 1)
      try statement.run()
    }
  }
}

extension JournalStore {
  /// How far a partition has come.
  struct PartitionState: Sendable, Equatable {
    let partition: Int
    /// Of the last message.
    let number: Int64
    /// How often the holder got tasks.
    let changes: Int64
  }

  /// Empty on SQLite.
  func partitionStates() async throws -> [PartitionState] {
    guard partitions.count > 1 else { return [] }
    return try await database.read { connection in
      try connection.withStatement("SELECT partition, last_number, changes FROM journal_partition") { statement in
        var states: [PartitionState] = []
        while try statement.step() {
          states.append(
            .init(
              partition: Int(statement.integer(0)), number: statement.integer(1), changes: statement.integer(2)))
        }
        return states
      }
    }
  }

  /// What is to be done about messages of a partition, the oldest first.
  func tasks(_ partition: Int, limit: Int) async throws -> [HolderTask] {
    let sql = """
      SELECT task.id, task.kind, task.reason, task.handler, journal.destination, journal.message_key, journal.status,
        task.version
      FROM journal_task AS task
      LEFT JOIN journal ON journal.id = task.id AND journal.partition = task.partition
      WHERE task.partition = ?1 ORDER BY task.id, task.kind LIMIT ?2
      """
    return try await database.read { connection in
      try connection.withStatement(sql) { statement in
        try statement.bind(Int64(partition), at: 1)
        try statement.bind(Int64(limit), at: 2)
        var tasks: [HolderTask] = []
        while try statement.step() {
          // One of a kind that only a later version knows is left to that.
          guard let kind = HolderTask.Kind(rawValue: statement.integer(1)) else { continue }
          tasks.append(
            HolderTask(
              id: statement.integer(0), kind: kind, version: statement.integer(7), reason: statement.text(2),
              handler: statement.text(3), destination: statement.text(4), key: statement.text(5),
              isPending: statement.integer(6) == 1))
        }
        return tasks
      }
    }
  }

  /// Asks the holder of a message's partition to give it up.
  func askToDiscard(_ id: Int64, reason: String, by handler: String) async throws {
    try await database.write(key: writeKey(partition(of: id))) { connection in
      try HolderTask.add(.discard, [id], reason: reason, handler: handler, connection)
    }
  }

  /// Those are done that were not added again meanwhile.
  func endTasks(_ tasks: [HolderTask]) async throws {
    guard !tasks.isEmpty else { return }
    let sql = "DELETE FROM journal_task WHERE partition = ?1 AND id = ?2 AND kind = ?3 AND version = ?4"
    try await database.write(weight: tasks.count) { connection in
      try connection.withStatement(sql) { statement in
        for task in tasks {
          try Self.bindPartition(of: task.id, at: 1, statement, connection)
          try statement.bind(task.id, at: 2)
          try statement.bind(task.kind.rawValue, at: 3)
          try statement.bind(task.version, at: 4)
          try statement.run()
        }
      }
    }
  }

  /// Takes a task back.
  ///
  /// - Returns: false when it was done, or taken back, already.
  func withdrawTask(_ kind: HolderTask.Kind, _ id: Int64) async throws -> Bool {
    try await database.write { connection in
      let sql = "DELETE FROM journal_task WHERE partition = ?1 AND id = ?2 AND kind = ?3"
      return try connection.withStatement(sql) { statement in
        try Self.bindPartition(of: id, at: 1, statement, connection)
        try statement.bind(id, at: 2)
        try statement.bind(kind.rawValue, at: 3)
        return try statement.run() > 0
      }
    }
  }

  func hasTask(_ kind: HolderTask.Kind, _ id: Int64) async throws -> Bool {
    try await database.read { connection in
      let sql = "SELECT 1 FROM journal_task WHERE partition = ?1 AND id = ?2 AND kind = ?3"
      return try connection.withStatement(sql) { statement in
        try Self.bindPartition(of: id, at: 1, statement, connection)
        try statement.bind(id, at: 2)
        try statement.bind(kind.rawValue, at: 3)
        return try statement.step()
      }
    }
  }
}
