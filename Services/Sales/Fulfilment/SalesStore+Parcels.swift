import Messages
import Storage

/// Parcels that the OMS has told of. See ``SalesStore`` about connections.
extension SalesStore {
  /// In the order in which they arrived.
  func parcels(_ connection: Connection, of incrementID: String) throws -> [FulfilmentLedger.Shipment] {
    try connection.withStatement(
      """
      SELECT parcel_key, tracks, done_at, is_silent FROM sales_parcel WHERE increment_id = ?1 ORDER BY received_at, parcel_key
      """
    ) { statement in
      try statement.bind(incrementID, at: 1)
      var parcels: [FulfilmentLedger.Shipment] = []
      while try statement.step() {
        parcels.append(
          .init(
            key: statement.text(0), tracks: try TrackText.tracks(in: statement.text(1)),
            isDone: !statement.isNull(2), isSilent: statement.bool(3)))
      }
      return parcels
    }
  }

  /// - Returns: false when there is one with that key.
  func addParcel(
    _ connection: Connection, of incrementID: String, _ parcel: FulfilmentLedger.Shipment, now: Int64
  ) throws -> Bool {
    try connection.withStatement(
      """
      INSERT INTO sales_parcel (increment_id, parcel_key, tracks, received_at, done_at, is_silent)
      VALUES (?1, ?2, ?3, ?4, NULL, ?5)
      ON CONFLICT (increment_id, parcel_key) DO NOTHING
      """
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(parcel.key, at: 2)
      try statement.bind(TrackText.text(of: parcel.tracks), at: 3)
      try statement.bind(now, at: 4)
      try statement.bind(parcel.isSilent, at: 5)
      return try statement.run() == 1
    }
  }

  /// The shop has all of a parcel.
  func finishParcel(_ connection: Connection, of incrementID: String, _ key: String, now: Int64) throws {
    try connection.withStatement(
      "UPDATE sales_parcel SET done_at = ?3 WHERE increment_id = ?1 AND parcel_key = ?2 AND done_at IS NULL"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(key, at: 2)
      try statement.bind(now, at: 3)
      _ = try statement.run()
    }
  }

  /// The shop counts so many units of these lines as sold and not sent no more.
  func closeLines(_ connection: Connection, of incrementID: String, _ closed: [OpenLines.Closed], now: Int64) throws {
    try connection.withStatement(
      """
      UPDATE sales_line SET shop_done_at = ?3, shop_done_units = ?4
      WHERE increment_id = ?1 AND line_number = ?2 AND shop_done_at IS NULL
      """
    ) { statement in
      try statement.bind(incrementID, at: 1)
      for line in closed {
        try statement.bind(Int64(line.number), at: 2)
        try statement.bind(line.isAll ? now : nil, at: 3)
        try statement.bind(line.units.text, at: 4)
        _ = try statement.run()
      }
    }
  }
}

/// Tracks as a JSON array of pairs.
enum TrackText {
  static func text(of tracks: [FulfilmentLedger.Track]) -> String {
    let parts = tracks.map { "[\(JSONText.quoted($0.number)),\(JSONText.quoted($0.title))]" }
    return "[\(parts.joined(separator: ","))]"
  }

  static func tracks(in text: String) throws(StorageError) -> [FulfilmentLedger.Track] {
    do throws(MessageError) {
      return try (JSONDocument(parsing: Array(text.utf8)).root.elements ?? []).map { pair in
        let parts = (pair.elements ?? []).map { $0.string ?? "" }
        return FulfilmentLedger.Track(number: parts.first ?? "", title: parts.last ?? "")
      }
    } catch {
      throw StorageError(.corrupt, "tracks are stored that are no JSON: \(error)")
    }
  }
}
