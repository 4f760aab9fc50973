import Commerce
import ServiceKit
import Storage

/// Which orders a list is about.
struct OrderFilter: Sendable, Equatable {
  /// All when empty.
  var states: Set<ExportState> = []
  /// Only those that need an operator.
  var needsAttention = false
}

/// Where a list goes on: behind this order.
struct OrderPlace: Sendable, Equatable {
  var createdAt: Int64
  var incrementID: String
}

extension SalesStore {
  /// A page of orders, the newest first.
  func orders(
    _ connection: Connection, _ filter: OrderFilter, after place: OrderPlace?, limit: Int
  ) throws -> [SalesOrder] {
    var conditions: [String] = []
    if !filter.states.isEmpty {
      let numbers = filter.states.map { "\($0.rawValue)" }.sorted().joined(separator: ", ")
      conditions.append("export_state IN (\(numbers))")
    }
    if filter.needsAttention {
      let states = "\(ExportState.failed.rawValue), \(ExportState.unconfirmed.rawValue)"
      conditions.append(
        "(attention <> '' OR export_state IN (\(states)) OR increment_id IN (\(Self.ordersWithStuckPayments)))")
    }
    if place != nil { conditions.append("(created_at, increment_id) < (?2, ?3)") }
    let condition = conditions.isEmpty ? "" : "WHERE \(conditions.joined(separator: " AND "))"
    return try connection.withStatement(
      """
      SELECT \(SalesOrder.columns) FROM sales_order \(condition)
      ORDER BY created_at DESC, increment_id DESC LIMIT ?1
      """
    ) { statement in
      try statement.bind(Int64(limit), at: 1)
      if let place {
        try statement.bind(place.createdAt, at: 2)
        try statement.bind(place.incrementID, at: 3)
      }
      var orders: [SalesOrder] = []
      while try statement.step() { orders.append(try SalesOrder(statement)) }
      return orders
    }
  }

  /// How many orders are in each state.
  func counts(_ connection: Connection) throws -> [ExportState: Int] {
    try connection.withStatement("SELECT export_state, COUNT(*) FROM sales_order GROUP BY export_state") { statement in
      var counts: [ExportState: Int] = [:]
      while try statement.step() {
        let state: ExportState = try statement.value(0, of: "the export state of \(statement.integer(1)) orders")
        counts[state] = Int(statement.integer(1))
      }
      return counts
    }
  }
}

/// Units of one SKU that a website has sold and that have not left the shop's books.
struct OpenUnits: Sendable, Equatable {
  var sku: String
  /// Code.
  var website: String
  /// Of orders that the OMS has.
  var acknowledged: Decimal = 0
  /// Of orders that the OMS does not have yet.
  var unacknowledged: Decimal = 0
}

extension SalesStore {
  /// As `SoldItem.Kind.isCounted`. What the shop has reserved of virtual products it takes off when it invoices them.
  private static let isCounted = "kind IN ('PHYSICAL', 'VIRTUAL')"

  /// Open units of these SKUs.
  func openUnits(_ connection: Connection, of skus: [String]) throws -> [OpenUnits] {
    let list =
      switch connection.engine {
      case .sqlite: "SELECT value FROM json_each(?1)"
      case .postgresql: "SELECT jsonb_array_elements_text(CAST(?1 AS JSONB))"
      }
    return try openUnits(connection, where: "sales_line.sku IN (\(list))") { statement in
      try statement.bind(JSONList.text(of: skus), at: 1)
    }
  }

  /// A page of the SKUs that have open units, in the order of their bytes.
  ///
  /// - Parameters:
  ///   - after: the last SKU of the page before; empty for the first page.
  ///   - limit: SKUs.
  func openUnits(_ connection: Connection, after: String, limit: Int) throws -> [OpenUnits] {
    let skus = try connection.withStatement(
      """
      SELECT DISTINCT sku FROM sales_line
      WHERE shop_done_at IS NULL AND \(Self.isCounted) AND sku > ?1 ORDER BY sku LIMIT ?2
      """
    ) { statement in
      try statement.bind(after, at: 1)
      try statement.bind(Int64(limit), at: 2)
      var skus: [String] = []
      while try statement.step() { skus.append(statement.text(0)) }
      return skus
    }
    return skus.isEmpty ? [] : try openUnits(connection, of: skus)
  }

  private func openUnits(
    _ connection: Connection, where condition: String, _ bind: (Statement) throws -> Void
  ) throws -> [OpenUnits] {
    let sql = """
      SELECT sales_line.sku, website, export_state, quantity, shop_done_units FROM sales_line
      JOIN sales_order ON sales_order.increment_id = sales_line.increment_id
      WHERE shop_done_at IS NULL AND \(Self.isCounted) AND export_state <> \(ExportState.foreign.rawValue)
        AND \(condition)
      ORDER BY sales_line.sku, website
      """
    return try connection.withStatement(sql) { statement in
      try bind(statement)
      var units: [OpenUnits] = []
      while try statement.step() {
        let (sku, website) = (statement.text(0), statement.text(1))
        let isSame = units.last.map { $0.sku.utf8.elementsEqual(sku.utf8) && $0.website == website } ?? false
        if !isSame { units.append(OpenUnits(sku: sku, website: website)) }
        let quantity = try statement.decimal(3) - statement.decimal(4)
        if statement.integer(2) == ExportState.accepted.rawValue {
          units[units.count - 1].acknowledged += quantity
        } else {
          units[units.count - 1].unacknowledged += quantity
        }
      }
      return units
    }
  }
}
