import Commerce
import Storage

/// A step that the shop was asked for, noted before it was: what a crash or a lost answer leaves behind.
struct BegunStep: Equatable, Sendable {
  enum Kind: String, Sendable {
    case invoice, shipment, cancellation
  }

  var kind: Kind
  /// The comment by which it is found in the shop.
  var marker: String
  /// Whether the shop was asked for money.
  var captures: Bool
  /// Before it: captures that the shop knew of, and what was paid.
  var knownCaptures: Int
  var totalPaid: Decimal
  /// Of an invoice, what it is to come to by the lines' prices, in the order's currency.
  var amount: Decimal
  /// Nanoseconds since 1970.
  var begunAt: Int64
}
/// Steps under way, one of an order at most. See ``SalesStore`` about connections.
extension SalesStore {
  /// nil when nothing is under way.
  func begunStep(_ connection: Connection, of incrementID: String) throws -> BegunStep? {
    try connection.withStatement(
      """
      SELECT kind, marker, captures, known_captures, total_paid, begun_at, amount FROM sales_step WHERE increment_id = ?1
      """
    ) { statement in
      try statement.bind(incrementID, at: 1)
      guard try statement.step() else { return nil }
      return BegunStep(
        kind: try statement.value(0, of: "the step that order \(incrementID) has begun"),
        marker: statement.text(1), captures: statement.bool(2), knownCaptures: Int(statement.integer(3)),
        totalPaid: try statement.decimal(4), amount: try statement.decimal(6), begunAt: statement.integer(5))
    }
  }

  func begin(_ connection: Connection, of incrementID: String, _ step: BegunStep) throws {
    try connection.withStatement(
      """
      INSERT INTO sales_step (increment_id, kind, marker, captures, known_captures, total_paid, begun_at, amount)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
      """
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(step.kind.rawValue, at: 2)
      try statement.bind(step.marker, at: 3)
      try statement.bind(step.captures, at: 4)
      try statement.bind(Int64(step.knownCaptures), at: 5)
      try statement.bind(step.totalPaid.text, at: 6)
      try statement.bind(step.begunAt, at: 7)
      try statement.bind(step.amount.text, at: 8)
      _ = try statement.run()
    }
  }

  /// An operator is to decide what became of it.
  func leaveStep(_ connection: Connection, of incrementID: String) throws {
    try connection.withStatement("UPDATE sales_step SET is_undecided = 1 WHERE increment_id = ?1") { statement in
      try statement.bind(incrementID, at: 1)
      _ = try statement.run()
    }
  }

  /// An operator has decided. A step that is under way is left to end by itself.
  func endUndecidedStep(_ connection: Connection, of incrementID: String) throws {
    try connection.withStatement("DELETE FROM sales_step WHERE increment_id = ?1 AND is_undecided = 1") { statement in
      try statement.bind(incrementID, at: 1)
      _ = try statement.run()
    }
  }

  func endStep(_ connection: Connection, of incrementID: String) throws {
    try connection.withStatement("DELETE FROM sales_step WHERE increment_id = ?1") { statement in
      try statement.bind(incrementID, at: 1)
      _ = try statement.run()
    }
  }
}
