import Storage

/// The registration in the gateway's store.
struct RegistrationStore: RegistrationMemory {
  let database: Database

  /// - Returns: what is kept, and the bus methods that were subscribed to.
  func load() async throws -> (registration: KeptRegistration, topics: [KeptTopic]) {
    try await database.read { connection in
      let kept = try connection.withStatement("SELECT goal, is_settled, changed_at FROM registration") {
        statement throws(StorageError) in
        try statement.step()
          ? KeptRegistration(
            goal: try statement.value(0, of: "the goal of the registration"), isSettled: statement.bool(1),
            changedAt: WallTime(nanoseconds: statement.integer(2)))
          : KeptRegistration()
      }
      let topics = try connection.withStatement("SELECT method, away_since FROM registration_topic ORDER BY method") {
        statement throws(StorageError) in
        var topics: [KeptTopic] = []
        while try statement.step() {
          let since = statement.isNull(1) ? nil : WallTime(nanoseconds: statement.integer(1))
          topics.append(KeptTopic(method: statement.text(0), awaySince: since))
        }
        return topics
      }
      return (kept, topics)
    }
  }

  func save(_ registration: KeptRegistration) async throws {
    try await database.write { connection in
      try connection.withStatement(
        """
        INSERT INTO registration (id, goal, is_settled, changed_at) VALUES (1, ?1, ?2, ?3)
        ON CONFLICT (id) DO UPDATE
          SET goal = excluded.goal, is_settled = excluded.is_settled, changed_at = excluded.changed_at
        """
      ) { statement throws(StorageError) in
        try statement.bind(registration.goal.rawValue, at: 1)
        try statement.bind(registration.isSettled, at: 2)
        try statement.bind(registration.changedAt?.nanoseconds ?? 0, at: 3)
        try statement.run()
      }
    }
  }

  func save(topics: [KeptTopic]) async throws {
    try await database.write { connection in
      try connection.execute("DELETE FROM registration_topic")
      try connection.withStatement("INSERT INTO registration_topic (method, away_since) VALUES (?1, ?2)") {
        statement throws(StorageError) in
        for topic in topics {
          try statement.bind(topic.method, at: 1)
          try statement.bind(topic.awaySince?.nanoseconds, at: 2)
          try statement.run()
        }
      }
    }
  }
}
