import Storage

/// One reading of the shop's whole catalog, as the store has it: it outlives the process.
struct CatalogRun: Sendable, Equatable {
  enum Kind: String, Sendable {
    /// Sends all.
    case full
    /// Sends what has changed, and finds what is gone: what polling can't see.
    case reconciliation
  }

  enum State: String, Sendable {
    case running, done
    /// A full export was asked for instead.
    case replaced
  }

  var id: Int64
  var kind: Kind
  var state: State
  /// The shop's id of the last product that is read and stored.
  var lastID: Int64 = 0
  /// Whether all is read, and only what is gone is left to be told.
  var isRead = false
  var read = 0
  var total = 0
  var exported = 0
  var deactivated = 0
  var failed = 0
  /// Why it waits; empty when it goes on.
  var reason = ""
  /// Nanoseconds since 1970.
  var startedAt: Int64
  /// Active products of the shop when it began.
  var known = 0

  static let columns = """
    id, kind, state, last_id, is_read, read_count, total, exported, deactivated, failed, reason, started_at, known
    """

  init(id: Int64, kind: Kind, startedAt: Int64) {
    self.id = id
    self.kind = kind
    state = .running
    self.startedAt = startedAt
  }

  init(_ statement: Statement) throws {
    id = statement.integer(0)
    kind = try statement.value(1, of: "the kind of catalog run \(statement.integer(0))")
    state = try statement.value(2, of: "the state of catalog run \(statement.integer(0))")
    lastID = statement.integer(3)
    isRead = statement.bool(4)
    read = Int(statement.integer(5))
    total = Int(statement.integer(6))
    exported = Int(statement.integer(7))
    deactivated = Int(statement.integer(8))
    failed = Int(statement.integer(9))
    reason = statement.text(10)
    startedAt = statement.integer(11)
    known = Int(statement.integer(12))
  }
}
