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

  static let columns = """
    id, kind, state, last_id, is_read, read_count, total, exported, deactivated, failed, reason, started_at
    """

  init(id: Int64, kind: Kind, startedAt: Int64) {
    self.id = id
    self.kind = kind
    state = .running
    self.startedAt = startedAt
  }

  init(_ statement: Statement) throws {
    guard let kind = Kind(rawValue: statement.text(1)), let state = State(rawValue: statement.text(2)) else {
      throw StorageError(
        .other,
        "catalog run \(statement.integer(0)) is \(statement.text(1)) and \(statement.text(2)), which is unknown",
        remedy: "start the version of the program that wrote it, or a newer one")
    }
    id = statement.integer(0)
    self.kind = kind
    self.state = state
    lastID = statement.integer(3)
    isRead = statement.bool(4)
    read = Int(statement.integer(5))
    total = Int(statement.integer(6))
    exported = Int(statement.integer(7))
    deactivated = Int(statement.integer(8))
    failed = Int(statement.integer(9))
    reason = statement.text(10)
    startedAt = statement.integer(11)
  }
}
