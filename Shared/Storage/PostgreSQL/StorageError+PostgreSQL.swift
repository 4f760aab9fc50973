import CPQ

extension StorageError {
  /// The error of a result.
  ///
  /// - Parameter store: as messages call it.
  init(result: OpaquePointer?, handle: OpaquePointer, store: String, statement: String?) {
    func field(_ code: Int32) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
    let state = field(CPQ_DIAG_SQLSTATE)
    // Without the details: they quote what is in the rows.
    let message = field(CPQ_DIAG_MESSAGE) ?? String(cString: PQerrorMessage(handle))
    self.init(state: state, message: OneLine.of(message), store: store, statement: statement)
  }

  /// - Parameter state: the SQLSTATE, or nil when the server did not answer.
  init(state: String?, message: String, store: String, statement: String? = nil) {
    let kind = Kind(sqlState: state)
    self.init(
      kind, "store \(store): \(message)", sqlState: state, statement: statement,
      remedy: Self.remedy(kind, state: state, store: store))
  }

  /// No other transaction's fault but the coincidence: what was rolled back can be run again.
  var isConflict: Bool { sqlState == "40001" || sqlState == "40P01" }

  /// The server rolled a transaction back in which it heard nothing for ``DatabaseOptions/silenceTimeout``: what was said next it
  /// never did.
  var endedSilence: Bool { sqlState == "25P03" }

  private static func remedy(_ kind: Kind, state: String?, store: String) -> String? {
    switch (kind, state ?? "") {
    case (.full, _): "free disk space on the database server"
    case (.locked, _): "try again; if it lasts, look into pg_stat_activity for a session that stays in a transaction"
    case (.unavailable, "53300"): "raise max_connections of the server, or start fewer replicas"
    case (.unavailable, _): "look whether the server runs and can be reached from here; it is tried again by itself"
    case (.timedOut, _): "look into pg_stat_activity for what keeps the server busy"
    case (.cannotOpen, "25006"): "connect to the primary, not to a standby"
    case (.cannotOpen, "3D000"): "create the database: createdb NAME"
    case (.cannotOpen, "42501"): "let this user create schemas in the database, or make it the owner of the schema"
    case (.cannotOpen, _): "check user, password and database in DATABASE_URL, and the server's pg_hba.conf"
    case (.corrupt, _): "restore the database from a backup"
    default: nil
    }
  }
}

extension StorageError.Kind {
  /// - Parameter state: see the appendix of PostgreSQL's manual on error codes; nil: the server did not answer.
  init(sqlState state: String?) {
    guard let state else {
      self = .unavailable
      return
    }
    switch state {
    case "53100": self = .full
    case "55P03", "40001", "40P01": self = .locked
    case "57014": self = .timedOut
    case "53300", "57P01", "57P02", "57P03", "57P05", "25P03": self = .unavailable
    case "25006", "3D000", "42501": self = .cannotOpen
    case "XX001", "XX002": self = .corrupt
    default:
      switch state.prefix(2) {
      case "08": self = .unavailable
      case "23": self = .constraint
      case "28": self = .cannotOpen
      default: self = .other
      }
    }
  }
}
