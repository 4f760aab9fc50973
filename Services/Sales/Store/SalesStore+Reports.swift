import Storage

/// A method of the shop that orders wait for, because the mapping file does not have it.
struct UnmappedMethod: Sendable, Equatable {
  /// What the orders say, with the remedy.
  var reason: String
  /// Orders that wait for it.
  var orders: Int
}

/// What reports say of the store.
extension SalesStore {
  /// Methods named in a report.
  static let methodLimit = 50

  /// The shipping and payment methods that orders wait for, those of most orders first.
  func unmappedMethods(_ connection: Connection) throws -> [UnmappedMethod] {
    try connection.withStatement(
      """
      SELECT reason, COUNT(*) FROM sales_order
      WHERE export_state = \(ExportState.held.rawValue)
        AND (reason LIKE 'shipping method %' OR reason LIKE 'payment method %')
      GROUP BY reason ORDER BY 2 DESC, reason LIMIT ?1
      """
    ) { statement in
      try statement.bind(Int64(Self.methodLimit), at: 1)
      var methods: [UnmappedMethod] = []
      while try statement.step() {
        methods.append(UnmappedMethod(reason: statement.text(0), orders: Int(statement.integer(1))))
      }
      return methods
    }
  }

  /// Orders that need an operator on the shop's side.
  func attentionCount(_ connection: Connection) throws -> Int {
    try count(connection, "SELECT COUNT(*) FROM sales_order WHERE attention <> ''")
  }

  /// Shipment requests with lines that have not ended.
  func openShipmentRequests(_ connection: Connection) throws -> Int {
    try count(connection, "SELECT COUNT(*) FROM shipment_request WHERE open_lines > 0")
  }

  private func count(_ connection: Connection, _ sql: String) throws -> Int {
    try connection.withStatement(sql) { try $0.step() ? Int($0.integer(0)) : 0 }
  }
}
