// Where the ids of messages come from on PostgreSQL; on SQLite they do behind a restore.

extension Outbox {
  /// An id is a number of its bucket times this, and the bucket: unique though each bucket counts for itself.
  static let buckets: Int64 = 65_536

  /// Messages of one key are in one bucket; those without a key in any.
  static func bucket(of key: String) -> Int64 {
    key.isEmpty ? Int64.random(in: 0..<buckets) : Int64(KeyLock.hash(key) % UInt64(buckets))
  }

  /// The first id of a millisecond, as ``takeIDs(_:for:)`` counts them: larger than all of before.
  ///
  /// - Parameter now: nanoseconds since 1970.
  static func id(at now: Int64) -> Int64 { (now / 1_000_000 - firstMillisecond) * buckets }

  /// 2024, in milliseconds since 1970.
  private static let firstMillisecond: Int64 = 1_704_067_200_000

  /// Ids for messages, in their order: larger than all that were given for their keys before.
  ///
  /// The row of a bucket stays locked until the transaction has ended. So what one reads of a key is in the order in which it was
  /// committed, as it is with a sequence only where the transactions wait for each other because of something else. There is no
  /// row that all have to go through. Two transactions at the same time that take from the same bucket can't both go on, and
  /// the second is run anew; those of one key would do that to each other anyway, and others rarely meet: of transactions of 20
  /// messages one in 160.
  ///
  /// It is one statement more for each transaction that adds messages, however many.
  static func takeIDs(_ connection: Connection, for messages: [OutboxMessage]) throws -> [Int64] {
    if messages.isEmpty { return [] }
    let places = messages.map { bucket(of: $0.key) }
    let amounts = places.reduce(into: [Int64: Int64]()) { $0[$1, default: 0] += 1 }
    var next = try connection.withStatement(takeNumbers) { statement in
      let wanted = amounts.sorted { $0.key < $1.key }
      try statement.bind(array: wanted.map(\.key), at: 1)
      try statement.bind(array: wanted.map(\.value), at: 2)
      var first: [Int64: Int64] = [:]
      while try statement.step() {
        let bucket = statement.integer(0)
        first[bucket] = statement.integer(1) - amounts[bucket, default: 0] + 1
      }
      return first
    }
    return try places.map { bucket in
      guard let number = next[bucket] else {
        throw StorageError(.other, "the outbox answered no number of bucket \(bucket)", statement: takeNumbers)
      }
      next[bucket] = number + 1
      return number * buckets + bucket
    }
  }

  /// A number is about the time in milliseconds since 2024, by the server's clock, so that messages of all buckets are about in the
  /// order of their coming; and not less than what makes an id larger than any that a sequence gave before. In the order of the
  /// buckets, so that two that want the same ones don't wait for each other in a circle.
  private static let takeNumbers = """
    INSERT INTO outbox_number (bucket, last_number, taken)
    SELECT bucket, amount - 1 + GREATEST(
      CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) - \(firstMillisecond), 4294967296), amount
    FROM unnest(?1, ?2) AS wanted (bucket, amount) ORDER BY bucket
    ON CONFLICT (bucket) DO UPDATE SET
      last_number = GREATEST(outbox_number.last_number + excluded.taken, excluded.last_number), taken = excluded.taken
    RETURNING bucket, last_number
    """
}
