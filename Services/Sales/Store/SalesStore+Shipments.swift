import Storage

/// What the OMS asks the warehouse to send.
struct ShipmentRequest: Sendable, Equatable {
  /// The OMS's.
  var requestID: String
  var incrementID: String
  var sourceID: String
  /// SKU of the shipping method.
  var shippingMethod: String
  /// Nanoseconds since 1970.
  var createdAt: Int64
  /// In the order of their numbers.
  var lines: [ShipmentRequestLine] = []
}

/// A line of a shipment request: one unit, which ends once.
struct ShipmentRequestLine: Sendable, Equatable {
  var number: Int
  var sku: String
  var name: String
  /// REQUESTED, or what was last reported.
  var status: String
  /// How it ended, as it was reported: another report that says the same is the same. Empty while it has not ended.
  var ending = ""
  /// Of the message that told the OMS of its end.
  var deliveryID = ""
  /// The item as the OMS wrote it, JSON: it comes back in what is reported.
  var item: String
}

extension SalesStore {
  /// Takes a shipment request over; one that is there already stays as it is.
  ///
  /// - Returns: false when it was there.
  func add(_ connection: Connection, _ request: ShipmentRequest) throws -> Bool {
    let isNew = try connection.withStatement(
      """
      INSERT INTO shipment_request (request_id, increment_id, source_id, shipping_method, created_at, open_lines)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (request_id) DO NOTHING
      """
    ) { statement throws(StorageError) in
      try statement.bind(request.requestID, at: 1)
      try statement.bind(request.incrementID, at: 2)
      try statement.bind(request.sourceID, at: 3)
      try statement.bind(request.shippingMethod, at: 4)
      try statement.bind(request.createdAt, at: 5)
      try statement.bind(Int64(request.lines.filter(\.ending.isEmpty).count), at: 6)
      return try statement.run() == 1
    }
    if isNew { try saveLines(connection, request) }
    return isNew
  }

  /// Writes the lines of a request that is there, and counts those that are open.
  func save(_ connection: Connection, _ request: ShipmentRequest) throws {
    try saveLines(connection, request)
    try connection.withStatement(
      "UPDATE shipment_request SET open_lines = ?2 WHERE request_id = ?1"
    ) { statement throws(StorageError) in
      try statement.bind(request.requestID, at: 1)
      try statement.bind(Int64(request.lines.filter(\.ending.isEmpty).count), at: 2)
      _ = try statement.run()
    }
  }

  private func saveLines(_ connection: Connection, _ request: ShipmentRequest) throws {
    try connection.withStatement(
      """
      INSERT INTO shipment_request_line (request_id, line_number, sku, name, status, ending, delivery_id, item)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
      ON CONFLICT (request_id, line_number) DO UPDATE SET
        status = excluded.status, ending = excluded.ending, delivery_id = excluded.delivery_id
      """
    ) { statement throws(StorageError) in
      try statement.bind(request.requestID, at: 1)
      for line in request.lines {
        try statement.bind(Int64(line.number), at: 2)
        try statement.bind(line.sku, at: 3)
        try statement.bind(line.name, at: 4)
        try statement.bind(line.status, at: 5)
        try statement.bind(line.ending, at: 6)
        try statement.bind(line.deliveryID, at: 7)
        try statement.bind(line.item, at: 8)
        _ = try statement.run()
      }
    }
  }

  /// nil when there is no such request.
  func shipmentRequest(_ connection: Connection, _ requestID: String) throws -> ShipmentRequest? {
    let request = try connection.withStatement(
      """
      SELECT request_id, increment_id, source_id, shipping_method, created_at FROM shipment_request
      WHERE request_id = ?1
      """
    ) { statement in
      try statement.bind(requestID, at: 1)
      return try statement.step() ? ShipmentRequest(statement) : nil
    }
    guard var request else { return nil }
    request.lines = try lines(connection, ofRequest: requestID)
    return request
  }

  /// A page of shipment requests with their lines, the newest first.
  ///
  /// - Parameters:
  ///   - open: only those with lines that have not ended.
  ///   - place: of the last of the page before: when it was made, and its id.
  func shipmentRequests(
    _ connection: Connection, open: Bool, after place: (createdAt: Int64, requestID: String)?, limit: Int
  ) throws -> [ShipmentRequest] {
    var conditions: [String] = []
    if open { conditions.append("open_lines > 0") }
    if place != nil { conditions.append("(created_at, request_id) < (?2, ?3)") }
    let condition = conditions.isEmpty ? "" : "WHERE \(conditions.joined(separator: " AND "))"
    var requests: [ShipmentRequest] = try connection.withStatement(
      """
      SELECT request_id, increment_id, source_id, shipping_method, created_at FROM shipment_request \(condition)
      ORDER BY created_at DESC, request_id DESC LIMIT ?1
      """
    ) { statement in
      try statement.bind(Int64(limit), at: 1)
      if let place {
        try statement.bind(place.createdAt, at: 2)
        try statement.bind(place.requestID, at: 3)
      }
      var requests: [ShipmentRequest] = []
      while try statement.step() { requests.append(ShipmentRequest(statement)) }
      return requests
    }
    for index in requests.indices {
      requests[index].lines = try lines(connection, ofRequest: requests[index].requestID)
    }
    return requests
  }

  private func lines(_ connection: Connection, ofRequest requestID: String) throws -> [ShipmentRequestLine] {
    try connection.withStatement(
      """
      SELECT line_number, sku, name, status, ending, delivery_id, item FROM shipment_request_line
      WHERE request_id = ?1 ORDER BY line_number
      """
    ) { statement in
      try statement.bind(requestID, at: 1)
      var lines: [ShipmentRequestLine] = []
      while try statement.step() {
        lines.append(
          ShipmentRequestLine(
            number: Int(statement.integer(0)), sku: statement.text(1), name: statement.text(2),
            status: statement.text(3), ending: statement.text(4), deliveryID: statement.text(5),
            item: statement.text(6)))
      }
      return lines
    }
  }
}

extension ShipmentRequest {
  fileprivate init(_ row: Statement) {
    self.init(
      requestID: row.text(0), incrementID: row.text(1), sourceID: row.text(2), shippingMethod: row.text(3),
      createdAt: row.integer(4))
  }
}
