import CPQ
import EventLoop
import Glibc

/// One connection of libpq. It is lost for good when the server goes away or doesn't answer in time.
final class PostgreSQLSession {
  let handle: OpaquePointer
  /// As messages call the store: never with the password.
  let store: String
  private let requestNanoseconds: UInt64
  /// Nothing can be done with it any more; its transaction is rolled back, unless it was just being committed.
  private(set) var isLost = false
  /// Between the first statement of a pipeline and its last result.
  private(set) var isInPipeline = false
  private var preparedCount = 0

  /// Statements prepared on the server. A service has a fixed, small set; the limit is for one that builds its SQL.
  static let maximumPreparedCount = 256

  /// Connects; blocks for `connect_timeout`, 5 s unless the URL says otherwise, for each address of the server.
  ///
  /// - Parameter application: what administrators see of it in `pg_stat_activity`, behind `oms-connector/`.
  init(
    _ url: PostgreSQLURL, store: String, application: String, options: DatabaseOptions
  ) throws(StorageError) {
    self.store = store
    // The server ends a statement by itself; when even that is not heard of, nobody is there.
    requestNanoseconds = options.statementTimeout.nanoseconds + options.answerGrace.nanoseconds
    let opened = ConnectionParameters(url, application: application).connect()
    guard let opened else {
      throw StorageError(.other, "store \(store): no memory for a connection")
    }
    handle = opened
    guard PQstatus(handle) == CONNECTION_OK else {
      let message = OneLine.of(String(cString: PQerrorMessage(handle)))
      isLost = true
      throw StorageError(state: Self.state(ofRefusal: message), message: message, store: store)
    }
    PQsetnonblocking(handle, 1)
    // Notices would go to standard error, where nobody expects them.
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
  }

  deinit { PQfinish(handle) }

  /// libpq does not hand out the SQLSTATE with which a server refuses a connection, only its words.
  private static func state(ofRefusal message: String) -> String? {
    let states = [
      ("authentication failed", "28P01"), ("no password supplied", "28P01"), ("no pg_hba.conf entry", "28000"),
      ("too many clients", "53300"), ("remaining connection slots", "53300"),
      ("permission denied for database", "42501"),
    ]
    if let found = states.first(where: { message.contains($0.0) }) { return found.1 }
    guard message.hasSuffix("does not exist") else { return nil }
    if message.contains("database \"") { return "3D000" }
    return message.contains("role \"") ? "28000" : nil
  }

  // MARK: Requests

  /// Runs statements without parameters, several when a semicolon is between them, and answers the last one's result.
  @discardableResult
  func simple(_ sql: String, nanoseconds: UInt64? = nil) throws(StorageError) -> QueryResult {
    try request(sql, nanoseconds) { PQsendQuery(handle, sql) }
  }

  /// - Returns: the name under which to run it; nil when there are too many already.
  func prepare(_ sql: String, _ parameters: ParameterBuffer) throws(StorageError) -> String? {
    guard preparedCount < Self.maximumPreparedCount else { return nil }
    preparedCount += 1
    let name = "s\(preparedCount)"
    try request(sql) { PQsendPrepare(handle, name, sql, Int32(parameters.count), parameters.types) }
    return name
  }

  /// - Parameter name: nil for a statement that is not prepared.
  func run(_ name: String?, _ sql: String, _ parameters: ParameterBuffer) throws(StorageError) -> QueryResult {
    try request(sql) { send(name, sql, parameters) }
  }

  private func send(_ name: String?, _ sql: String, _ parameters: ParameterBuffer) -> Int32 {
    let count = Int32(parameters.count)
    if let name {
      return PQsendQueryPrepared(handle, name, count, parameters.values, parameters.lengths, parameters.formats, 1)
    }
    return PQsendQueryParams(
      handle, sql, count, parameters.types, parameters.values, parameters.lengths, parameters.formats, 1)
  }

  @discardableResult
  private func request(
    _ sql: String, _ nanoseconds: UInt64? = nil, _ send: () -> Int32
  ) throws(StorageError) -> QueryResult {
    precondition(!isInPipeline, "a statement is run for each of many rows; run others before or after")
    let deadline = deadline(nanoseconds)
    guard send() == 1 else { throw lost(String(cString: PQerrorMessage(handle)), sql) }
    var last: QueryResult?
    var failure: StorageError?
    while let result = try next(deadline, sql) {
      do throws(StorageError) {
        last = try checked(result, sql)
      } catch {
        if failure == nil { failure = error }
      }
    }
    if PQstatus(handle) == CONNECTION_BAD {
      throw lost(failure?.message ?? String(cString: PQerrorMessage(handle)), sql)
    }
    if let failure { throw failure }
    guard let last else { throw lost("the server answered nothing", sql) }
    return last
  }

  // MARK: Pipelines

  /// Hands a statement over without waiting for its result.
  func sendAhead(_ name: String?, _ sql: String, _ parameters: ParameterBuffer) throws(StorageError) {
    if !isInPipeline {
      guard PQenterPipelineMode(handle) == 1 else { throw lost(String(cString: PQerrorMessage(handle)), sql) }
      isInPipeline = true
    }
    guard send(name, sql, parameters) == 1 else { throw lost(String(cString: PQerrorMessage(handle)), sql) }
  }

  /// Waits for the results of everything that was sent ahead.
  ///
  /// - Parameter each: told each statement's number of changed rows, in order.
  /// - Throws: the first error; the server runs nothing of the pipeline behind it.
  func receive(_ count: Int, _ sql: String, _ each: (Int) -> Void) throws(StorageError) {
    guard isInPipeline else { return }
    let deadline = deadline(nil)
    guard PQpipelineSync(handle) == 1 else { throw lost(String(cString: PQerrorMessage(handle)), sql) }
    var failure: StorageError?
    for _ in 0..<count {
      guard let result = try next(deadline, sql) else { throw lost("a result is missing", sql) }
      do throws(StorageError) {
        let changes = try checked(result, sql).changes
        if failure == nil { each(changes) }
      } catch {
        if failure == nil { failure = error }
      }
      // A null pointer ends each statement's results.
      if let extra = try next(deadline, sql) {
        PQclear(extra)
        throw lost("a result is one too many", sql)
      }
    }
    guard let end = try next(deadline, sql) else { throw lost("the end of the results is missing", sql) }
    let isEnd = PQresultStatus(end) == PGRES_PIPELINE_SYNC
    PQclear(end)
    guard isEnd, PQexitPipelineMode(handle) == 1 else {
      throw lost(failure?.message ?? "the results have no end", sql)
    }
    isInPipeline = false
    if let failure { throw failure }
  }

  // MARK: Waiting

  private func deadline(_ nanoseconds: UInt64?) -> UInt64 {
    let (end, overflows) = EventLoop.monotonicNanoseconds().addingReportingOverflow(nanoseconds ?? requestNanoseconds)
    return overflows ? .max : end
  }

  /// - Returns: nil after the last result.
  private func next(_ deadline: UInt64, _ sql: String) throws(StorageError) -> OpaquePointer? {
    while true {
      let left = PQflush(handle)
      if left < 0 { throw lost(String(cString: PQerrorMessage(handle)), sql) }
      if left == 0 && PQisBusy(handle) == 0 { return PQgetResult(handle) }
      try wait(left == 0 ? POLLIN : POLLIN | POLLOUT, deadline, sql)
      // What the server said before it went away is still to be read: the next turn finds out.
      if PQconsumeInput(handle) == 0 && PQisBusy(handle) != 0 {
        throw lost(String(cString: PQerrorMessage(handle)), sql)
      }
    }
  }

  private func wait(_ events: Int32, _ deadline: UInt64, _ sql: String) throws(StorageError) {
    var descriptor = pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
    while true {
      let now = EventLoop.monotonicNanoseconds()
      let milliseconds = deadline <= now ? 0 : min((deadline - now) / 1_000_000 + 1, 60_000)
      let ready = poll(&descriptor, 1, Int32(milliseconds))
      if ready > 0 { return }
      if ready < 0 && errno != EINTR { throw lost(SystemError("poll").description, sql) }
      if EventLoop.monotonicNanoseconds() >= deadline { throw lost("the server does not answer", sql) }
    }
  }

  /// Takes ownership of `result`.
  private func checked(_ result: OpaquePointer, _ sql: String) throws(StorageError) -> QueryResult {
    let owned = QueryResult(result)
    switch PQresultStatus(result) {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return owned
    case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: throw lost("COPY is not supported", sql)
    default: throw StorageError(result: result, handle: handle, store: store, statement: sql)
    }
  }

  /// Notes that nothing more can be done with the connection.
  private func lost(_ message: String, _ sql: String) -> StorageError {
    isLost = true
    isInPipeline = false
    // libpq hands out the words alone, here as well.
    let state = message.contains("due to idle-in-transaction timeout") ? "25P03" : nil
    return StorageError(state: state, message: OneLine.of(message), store: store, statement: sql)
  }

  /// To be replaced by a new one.
  func abandon() { isLost = true }
}
