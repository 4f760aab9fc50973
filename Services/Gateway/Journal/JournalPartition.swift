import Storage

/// The parts of the journal that gateways share among themselves: one gateway at a time delivers what is in a partition, and
/// messages of one key are all in one.
///
/// A message's number says its partition: numbers of a partition leave the same rest. On SQLite there is one gateway and one
/// partition.
enum JournalPartition {
  /// On PostgreSQL. Numbers are made with it, so it stays.
  static let serverCount = 16

  static func count(on engine: StorageEngine) -> Int {
    switch engine {
    case .sqlite: 1
    case .postgresql: serverCount
    }
  }

  /// Of a message without a key: one that the same delivery always has. The digest is one that the server can make, too:
  /// ``GatewaySchema/partitions`` spreads the messages of before.
  static func of(key: String, deliveryID: String, on engine: StorageEngine) -> Int {
    let count = count(on: engine)
    if count == 1 { return 0 }
    return Int(SHA256.digest(ofParts: [Array((key.isEmpty ? deliveryID : key).utf8)])[0]) % count
  }

  /// - Parameter id: a message's number.
  static func of(_ id: Int64, on engine: StorageEngine) -> Int {
    let rest = id % Int64(count(on: engine))
    // A number that somebody made up may be negative.
    return Int(rest < 0 ? 0 : rest)
  }

  /// What writes about a partition are ordered by (``Database/write(weight:key:_:)``): all gateways lock partitions in this order.
  static func key(_ partition: Int) -> String { keys[partition] }

  private static let keys = (0..<serverCount).map { "partition \($0 < 10 ? "0" : "")\($0)" }
}

extension JournalPartition {
  /// The next number of a partition. Until the transaction has ended, no other one gets any: so numbers of a partition can be seen
  /// in their order, and who has read up to one has missed none before it.
  ///
  /// No sequence, which a store of several machines would have to ask for in one place. A number is about the time in
  /// microseconds since 2024, by the server's clock, so that messages of all partitions are in the order of their coming, about.
  static func nextID(_ partition: Int, _ connection: Connection) throws -> Int64 {
    let number = try connection.withStatement(takeNumber) { statement in
      try statement.bind(Int64(partition), at: 1)
      guard try statement.step() else {
        throw StorageError(.other, "partition \(partition) of the journal answered no number", statement: takeNumber)
      }
      return statement.integer(0)
    }
    return number * Int64(serverCount) + Int64(partition)
  }

  /// About the number of a message that comes at a time.
  ///
  /// - Parameters:
  ///   - time: nanoseconds since 1970, by the server's clock.
  ///   - microseconds: later than that; may be negative.
  static func firstID(at time: Int64, after microseconds: Int64) -> Int64 {
    (time / 1_000 - 1_704_067_200_000_000 + microseconds) * Int64(serverCount)
  }

  /// The row is there. An UPDATE that looks at the clock is refused where rows are spread over machines (Citus), as each could see
  /// another time; a row that is to be inserted is made in one place.
  private static let takeNumber = """
    INSERT INTO journal_partition (partition, last_number, changes)
    VALUES (?1, CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) - 1704067200000000, 0)
    ON CONFLICT (partition) DO UPDATE SET last_number = GREATEST(journal_partition.last_number + 1, excluded.last_number)
    RETURNING last_number
    """
}
