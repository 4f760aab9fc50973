/// One connection to the store, used by one thread at a time.
///
/// After an error of the store a body has failed, even when it catches the error and goes on: PostgreSQL runs nothing more
/// in such a transaction, and both engines shall behave alike.
public class Connection {
  /// What understands its SQL.
  public let engine: StorageEngine
  /// The first error of the transaction, or of the savepoint, that is open.
  var failure: StorageError?

  init(engine: StorageEngine) { self.engine = engine }

  /// Lends the prepared statement of `sql`, prepared at its first use, for the time of `body`.
  ///
  /// - Parameter sql: one statement; its parameters are `?1`, `?2` and so on, in any order and as often as needed.
  public final func withStatement<Result, Failure: Error>(
    _ sql: String, _ body: (Statement) throws(Failure) -> Result
  ) throws -> Result {
    let statement = try take(sql)
    defer { giveBack(statement) }
    return try body(statement)
  }

  /// As ``withStatement(_:_:)`` for bodies that fail only in the store.
  final func withPrepared<Result>(
    _ sql: String, _ body: (Statement) throws(StorageError) -> Result
  ) throws(StorageError) -> Result {
    let statement = try take(sql)
    defer { giveBack(statement) }
    return try body(statement)
  }

  /// Runs one statement without parameters and ignores its rows.
  public func execute(_ sql: String) throws(StorageError) { preconditionFailure("abstract") }

  // MARK: Statements

  func take(_ sql: String) throws(StorageError) -> Statement { preconditionFailure("abstract") }

  func giveBack(_ statement: Statement) { preconditionFailure("abstract") }

  // MARK: Transactions

  /// Brings the schema to `migrations.count`.
  func migrate(_ migrations: [Migration]) throws(StorageError) { preconditionFailure("abstract") }

  /// Whether a transaction may begin before all of its jobs are known. What is run while others are on their way is not waited
  /// for when they are there.
  var runsWhileGathering: Bool { false }

  /// The jobs of a batch in the order in which they are to run.
  func ordered(_ jobs: [Job]) -> [Job] { jobs }

  /// Begins a transaction in which all statements see the same state.
  func beginReading() throws(StorageError) { preconditionFailure("abstract") }

  /// Begins a transaction that writes.
  ///
  /// - Parameter jobs: what will be run in it.
  func beginWriting(_ jobs: [Job]) throws(StorageError) { preconditionFailure("abstract") }

  /// Returns when the transaction is durable. After an error it is not open any more, or has to be rolled back.
  func commit() throws(StorageError) { preconditionFailure("abstract") }

  /// Ends the transaction without a trace, if one is open.
  func rollBack() { preconditionFailure("abstract") }

  /// Whether a transaction is open and can be gone on with.
  var isInTransaction: Bool { preconditionFailure("abstract") }

  /// Whether `error` is one of the transaction's as a whole, which a savepoint does not contain.
  func endsTransaction(_ error: StorageError) -> Bool { !isInTransaction }

  /// How long to wait before what failed with `error` is run anew; nil when that would do no good, or did none for long
  /// enough.
  ///
  /// - Parameter attempt: how often it has been run.
  func pauseBeforeRetry(after error: StorageError, attempt: Int) -> UInt64? { nil }

  /// After a commit, when the callers have their answers.
  func tidyUp() {}

  /// Before the next commit, while more calls wait: lets other writers have their turn.
  func stepBack() {}
}
