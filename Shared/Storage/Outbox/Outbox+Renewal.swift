// What becomes of a store that was brought back from a backup: its rows count anew from a number that they had reached already.

extension Outbox {
  /// Another delivery id for a row whose own is that of another message. All rows that are read from now on have new ones as well,
  /// as the store is another one from now on: `store_id`.
  ///
  /// - Returns: the row as it is to be handed over.
  public func renew(_ connection: Connection, _ row: OutboxRow) throws -> OutboxRow {
    // Several rows may come with ids of the same store: it is renewed once.
    try connection.withStatement("UPDATE outbox_store SET store_id = ?1 WHERE ?2 = ?3 || store_id || ?4") {
      statement throws(StorageError) in
      try statement.bind(Self.newStoreID(), at: 1)
      try statement.bind(row.deliveryID, at: 2)
      try statement.bind("\(service)-", at: 3)
      try statement.bind("-\(row.id)", at: 4)
      _ = try statement.run()
    }
    return OutboxRow(
      id: row.id, deliveryID: deliveryID(store: try storeID(connection), row: row.id), message: row.message)
  }

  /// As the schema makes them: 16 hexadecimal digits.
  private static func newStoreID() -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
