import EventLoop
import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("Partitions of the journal", .serialized, .timeLimit(.minutes(2)))
struct JournalPartitionTests {
  @Test("the server puts messages of before where new ones of their key go")
  func digest() async throws {
    let journal = try TemporaryJournal(.postgresql)
    let sql = "SELECT get_byte(sha256(int8send(octet_length(?1)) || convert_to(?1, 'UTF8')), 0) % 16"
    for name in ["A", "", "EU-WEB", "Grüße ☃", String(repeating: "x", count: 1_000)] {
      let partition = try await journal.store.database.read { connection in
        try connection.withStatement(sql) { statement in
          try statement.bind(name, at: 1)
          return try statement.step() ? statement.integer(0) : -1
        }
      }
      #expect(Int(partition) == journal.store.partition(key: name, deliveryID: name))
    }
    await journal.store.database.close()
  }

  @Test("on SQLite there is one partition, and numbers follow each other")
  func single() async throws {
    let journal = try TemporaryJournal(.sqlite)
    #expect(journal.store.partitions == 0..<1 && journal.store.writeKey(0) == nil)
    for n in 1...3 {
      #expect(try await journal.store.receive(IncomingMessage(id: "\(n)", key: "k\(n)"), at: .now).id == Int64(n))
    }
    await journal.store.database.close()
  }

  @Test("an upgrade keeps the order of messages, puts each where its key is, and goes on behind them")
  func upgrade() async throws {
    let files = try TestStore(.postgresql)
    let old = try files.open(Array(GatewaySchema.migrations.prefix(7)))
    _ = try await old.write { connection in
      let sql = """
        INSERT INTO journal
          (direction, status, delivery_id, digest, method, message_key, destination, body, traceparent, received_at)
        VALUES (1, 1, ?1, '', 'm', ?2, 'inventory', '', '', 0)
        """
      try connection.withStatement(sql) { statement in
        for n in 0..<100 {
          try statement.bind("\(n)", at: 1)
          try statement.bind(n % 3 == 0 ? "" : "k\(n % 7)", at: 2)
          try statement.run()
        }
      }
    }
    await old.close()

    let store = JournalStore(database: try files.open(GatewaySchema.migrations) { Gateway.configure(&$0) })
    let rows = try await store.database.read { connection in
      try connection.withStatement("SELECT id, partition, delivery_id, message_key FROM journal ORDER BY id") {
        statement in
        var rows: [(id: Int64, partition: Int64, deliveryID: String, key: String)] = []
        while try statement.step() {
          rows.append((statement.integer(0), statement.integer(1), statement.text(2), statement.text(3)))
        }
        return rows
      }
    }
    #expect(rows.map(\.deliveryID) == (0..<100).map { "\($0)" })
    for row in rows {
      #expect(Int(row.partition) == store.partition(key: row.key, deliveryID: row.deliveryID))
      #expect(Int(row.partition) == store.partition(of: row.id))
    }
    #expect(Set(rows.map(\.partition)).count > 8)
    let next = try await store.receive(IncomingMessage(id: "new", key: "k1"), at: .now)
    #expect(try #require(rows.last).id < next.id)
    #expect(try await store.depth("inventory") == 101)
    await store.database.close()
  }

  @Test("who has read up to a message has missed none before it, however many gateways write")
  func order() async throws {
    let journal = try TemporaryJournal(.postgresql)
    let stores = try (0..<2).map { _ in try journal.reopened() }
    let (writers, each) = (8, 60)
    let isDone = Lock(false)
    let reading = Task {
      var cursors = journal.store.partitions.map { _ in Int64(0) }
      var found = 0
      while true {
        let isLast = isDone.withLock { $0 }
        for partition in journal.store.partitions {
          let page = try await journal.store.pending(
            destination: "inventory", partition: partition, after: cursors[partition],
            limits: PageLimits(rows: 1_000, weight: .max))
          found += page.messages.count
          cursors[partition] = page.messages.last?.id ?? cursors[partition]
        }
        if isLast { return found }
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<writers {
        group.addTask {
          for n in 0..<each {
            let message = IncomingMessage(id: "\(writer)-\(n)", key: "k\(n % 40)")
            _ = try await stores[writer % 2].receive(message, at: .now)
          }
        }
      }
      try await group.waitForAll()
    }
    isDone.withLock { $0 = true }
    #expect(try await reading.value == writers * each)
    for store in stores { await store.database.close() }
    await journal.store.database.close()
  }

  @Test("a delivery that comes to two gateways at once is one message")
  func twice() async throws {
    let journal = try TemporaryJournal(.postgresql)
    let stores = try (0..<2).map { _ in try journal.reopened() }
    for n in 0..<20 {
      let message = IncomingMessage(id: "\(n)", key: "A")
      async let first = stores[0].receive(message, at: .now)
      async let second = stores[1].receive(message, at: .now)
      let receipts = [try await first, try await second]
      #expect(receipts[0].id == receipts[1].id && receipts.count { $0.isDuplicate } == 1)
    }
    for store in stores { await store.database.close() }
    await journal.store.database.close()
  }
}
