import Messages
import Storage

@testable import Inventory
@testable import ServiceKit
@testable import Storage

/// All that the store has of an aggregate.
struct StoredAggregate: Sendable {
  var stock: [String: StockRule.Value] = [:]
  /// By SKU, the oldest first.
  var history: [String: [StockRule.Change]] = [:]
  var waiting: [String] = []

  init(_ aggregateId: String, _ connection: Connection) throws {
    stock = try connection.withStatement(
      "SELECT sku, quantity, unlimited, created_on FROM \(StockSchema.table) WHERE aggregate_id = ?1"
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      var stock: [String: StockRule.Value] = [:]
      while try statement.step() { stock[statement.text(0)] = Self.value(statement, 1) }
      return stock
    }
    history = try connection.withStatement(
      """
      SELECT sku, mode, zeroed, quantity, unlimited, created_on, previous_quantity, previous_unlimited, previous_created_on
      FROM \(StockSchema.history) WHERE aggregate_id = ?1 ORDER BY at
      """
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      var history: [String: [StockRule.Change]] = [:]
      while try statement.step() {
        let mode: StockMessage.Mode = statement.integer(1) == 1 ? .full : statement.integer(1) == 3 ? .nonzero : .delta
        let change = StockRule.Change(
          sku: statement.text(0), mode: mode, zeroed: statement.bool(2), old: Self.value(statement, 6),
          new: Self.value(statement, 3))
        history[change.sku, default: []].append(change)
      }
      return history
    }
    waiting = try connection.withStatement(
      "SELECT reason, mode, created_on FROM held_snapshot WHERE aggregate_id = ?1 ORDER BY id"
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      var waiting: [String] = []
      while try statement.step() {
        waiting.append("\(statement.integer(0)) \(statement.integer(1)) \(statement.integer(2))")
      }
      return waiting
    }
  }

  /// Makes room for what waits of the next schedules: no more than 1 000 may.
  static func removeWaiting(_ aggregateId: String, _ connection: Connection) throws {
    try connection.withStatement("DELETE FROM held_snapshot WHERE aggregate_id = ?1") { statement in
      try statement.bind(aggregateId, at: 1)
      _ = try statement.run()
    }
  }

  private static func value(_ statement: Statement, _ column: Int32) -> StockRule.Value {
    StockRule.Value(
      quantity: statement.integer(column), unlimited: statement.bool(column + 1), time: statement.integer(column + 2))
  }
}

extension StockRule.Waiting {
  /// As ``StoredAggregate/waiting``.
  var stored: String {
    let modes: [StockMessage.Mode: Int] = [.full: 1, .delta: 2, .nonzero: 3]
    return "\(reason == .future ? 1 : 2) \(modes[mode] ?? 0) \(time)"
  }
}

/// What the inbox knows.
enum StoredDeliveries {
  static func identity(_ request: Omsconnector.Internal.V1.ConsumeRequest) -> [UInt8] {
    Delivery(id: request.deliveryId, method: request.method, replay: request.replay, body: request.body).identity
  }

  static func has(_ identity: [UInt8], _ connection: Connection) throws -> Bool {
    try connection.withStatement("SELECT COUNT(*) FROM inbox WHERE identity = ?1") { statement in
      try statement.bind(identity, at: 1)
      return try statement.step() && statement.integer(0) == 1
    }
  }
}
