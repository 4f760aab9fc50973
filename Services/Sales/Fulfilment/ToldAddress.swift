import Storage

/// The shipping address that was last said on an order in the shop. The OMS tells of one with each line that gets it, and one that is
/// changed back is news: neither is seen from what has been said so far.
enum ToldAddress {
  /// The address itself stays with the OMS and the shop.
  static let migration = Migration(
    "the shipping address that was last said on an order",
    sqlite: [
      """
      CREATE TABLE sales_told_address (
        increment_id TEXT NOT NULL PRIMARY KEY,
        digest BLOB NOT NULL -- SHA-256
      ) STRICT, WITHOUT ROWID
      """
    ],
    postgresql: [
      """
      CREATE TABLE sales_told_address (
        increment_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        digest BYTEA NOT NULL
      )
      """
    ])

  /// Notes that an address is said on an order.
  ///
  /// - Returns: false when it was the last one already.
  static func note(_ connection: Connection, of incrementID: String, _ address: String) throws -> Bool {
    let digest = SHA256.digest(ofParts: [Array(address.utf8)])
    return try connection.withStatement(
      """
      INSERT INTO sales_told_address (increment_id, digest) VALUES (?1, ?2)
      ON CONFLICT (increment_id) DO UPDATE SET digest = excluded.digest WHERE sales_told_address.digest <> excluded.digest
      """
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(digest, at: 2)
      return try statement.run() == 1
    }
  }
}
