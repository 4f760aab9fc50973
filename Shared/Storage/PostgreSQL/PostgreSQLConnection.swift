import CPQ
import EventLoop

/// A connection to a schema on a PostgreSQL server, made anew when it was lost.
final class PostgreSQLConnection: Connection {
  /// As messages call the store.
  let store: String
  let schema: String
  let options: DatabaseOptions
  private let url: PostgreSQLURL
  private let isReader: Bool
  private var session: PostgreSQLSession?
  private var idleStatements: [PostgreSQLStatement] = []
  private var outage = Outage()
  private var lastRefusal: (error: StorageError, nanoseconds: UInt64)?
  /// Whether the session itself may have locks, rather than its transaction.
  private var holdsKeys = false

  /// Prepared statements kept for reuse: as many as a session prepares.
  static let maximumIdleStatements = PostgreSQLSession.maximumPreparedCount

  init(_ url: PostgreSQLURL, schema: String, options: DatabaseOptions, isReader: Bool) {
    self.url = url
    self.schema = schema
    self.options = options
    self.isReader = isReader
    store = "\(url.description), schema \(schema)"
    super.init(engine: .postgresql)
  }

  // MARK: Statements

  override func execute(_ sql: String) throws(StorageError) {
    try check()
    guard let session else { throw noted(lostWithoutTransaction()) }
    do throws(StorageError) {
      try session.simple(sql)
    } catch {
      throw noted(error)
    }
  }

  override func take(_ sql: String) throws(StorageError) -> Statement {
    try check()
    if let index = idleStatements.lastIndex(where: { $0.sql == sql }) {
      idleStatements.swapAt(index, idleStatements.count - 1)
      return Statement(idleStatements.removeLast(), connection: self)
    }
    guard let session else { throw noted(lostWithoutTransaction()) }
    do throws(StorageError) {
      return Statement(try PostgreSQLStatement(sql, self, session), connection: self)
    } catch {
      throw noted(error)
    }
  }

  override func giveBack(_ statement: Statement) {
    let statement = statement.postgresql
    statement.reset()
    guard statement.session === session, idleStatements.count < Self.maximumIdleStatements else { return }
    idleStatements.append(statement)
  }

  /// In a transaction that has failed the server runs nothing more; it would only say so in words that hide the cause.
  func check() throws(StorageError) {
    if let failure { throw failure }
  }

  /// The transaction has failed with the first error.
  func noted(_ error: StorageError) -> StorageError {
    if failure == nil { failure = error }
    return error
  }

  private func lostWithoutTransaction() -> StorageError {
    StorageError(state: nil, message: "not connected", store: store)
  }

  // MARK: Transactions

  override func migrate(_ migrations: [Migration]) throws(StorageError) { try bringUpToDate(migrations) }

  /// By key: replicas that lock the same keys do it in the same order, and don't wait for each other in a circle.
  override func ordered(_ jobs: [Job]) -> [Job] {
    if jobs.allSatisfy({ $0.key == nil }) { return jobs }
    return jobs.enumerated().sorted { ($0.element.key ?? "", $0.offset) < ($1.element.key ?? "", $1.offset) }
      .map(\.element)
  }

  override func beginReading() throws(StorageError) {
    failure = nil
    try liveSession().simple("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
  }

  override func beginWriting(_ jobs: [Job]) throws(StorageError) {
    let isSerializable = jobs.contains { ($0.isolation ?? options.isolation) == .serializable }
    let keys = options.locksKeys ? KeyLock.buckets(of: jobs) : []
    failure = nil
    let session = try liveSession()
    holdsKeys = isSerializable && !keys.isEmpty
    try session.simple(KeyLock.begin(isSerializable ? .serializable : .readCommitted, keys, schema: schema))
    holdsKeys = false
  }

  override func commit() throws(StorageError) {
    try check()
    guard let session else { throw lostWithoutTransaction() }
    do throws(StorageError) {
      try session.simple("COMMIT")
    } catch {
      // What was read is good all the same.
      if isReader { return session.abandon() }
      guard session.isLost, !error.endedSilence else { throw error }
      throw StorageError(
        .outcomeUnknown, "the connection was lost while the server committed: \(error.message)",
        statement: error.statement, remedy: "look whether the change is there before you do it again")
    }
    outage.ended()
  }

  override func rollBack() {
    guard let session, !session.isLost else { return }
    if PQtransactionStatus(session.handle) != PQTRANS_IDLE {
      do throws(StorageError) {
        try session.simple("ROLLBACK")
      } catch {
        // The server rolls back what it hears no more of.
        return session.abandon()
      }
    }
    outage.ended()
    releaseKeys(session)
  }

  private func releaseKeys(_ session: PostgreSQLSession) {
    guard holdsKeys else { return }
    do throws(StorageError) {
      try session.simple("SELECT pg_advisory_unlock_all()")
      holdsKeys = false
    } catch {
      // They end with their session.
      session.abandon()
    }
  }

  override var isInTransaction: Bool {
    guard let session, !session.isLost else { return false }
    return PQtransactionStatus(session.handle) == PQTRANS_INTRANS
  }

  override func endsTransaction(_ error: StorageError) -> Bool { error.isConflict || session?.isLost ?? true }

  // MARK: The server

  override func pauseBeforeRetry(after error: StorageError, attempt: Int) -> UInt64? {
    if error.isConflict {
      guard attempt < options.maximumConflicts else { return nil }
      let longest = UInt64(2_000_000) << UInt64(min(attempt, 6))
      return UInt64.random(in: 0...longest)
    }
    guard error.kind == .unavailable else { return nil }
    return outage.failed(
      now: EventLoop.monotonicNanoseconds(), limit: options.outageTimeout.nanoseconds, random: .random(in: 0...1))
  }

  /// The session, or a new one when it was lost.
  func liveSession() throws(StorageError) -> PostgreSQLSession {
    if let session, !session.isLost { return session }
    session = nil
    idleStatements = []
    holdsKeys = false
    let now = EventLoop.monotonicNanoseconds()
    // Callers that come during a long outage are told at once, not after an attempt of their own each.
    if outage.isOver(options.outageTimeout.nanoseconds, now: now), let lastRefusal,
      now - lastRefusal.nanoseconds < Outage.longestPause
    {
      throw lastRefusal.error
    }
    do throws(StorageError) {
      let opened = try PostgreSQLSession(url, store: store, application: schema, options: options)
      try opened.simple(SessionSettings.sql(schema: schema, options))
      session = opened
      return opened
    } catch {
      lastRefusal = (error, EventLoop.monotonicNanoseconds())
      throw error
    }
  }
}
