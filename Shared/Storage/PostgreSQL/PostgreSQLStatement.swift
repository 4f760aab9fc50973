import CPQ

/// A statement with its parameters and, once it has run, its rows. Prepared on the server at its first use, for the types
/// that are bound then.
final class PostgreSQLStatement {
  let sql: String
  let session: PostgreSQLSession
  private unowned let connection: PostgreSQLConnection
  private let placeholders: Placeholders
  private let parameters: ParameterBuffer
  private var prepared: [(types: [Oid], name: String?)] = []
  private var result: QueryResult?
  private var row: Int32 = 0
  /// Sent ahead, results not yet read.
  private var waiting = 0
  /// Of those whose results are read.
  private var counts: [Int] = []

  /// Statements of a pipeline whose results are read together: small enough that they fit into the socket.
  static let pipelineLength = 256

  init(_ sql: String, _ connection: PostgreSQLConnection, _ session: PostgreSQLSession) throws(StorageError) {
    self.sql = sql
    self.connection = connection
    self.session = session
    placeholders = try Placeholders(sql)
    parameters = ParameterBuffer(count: placeholders.count)
  }

  /// As it was when it was made.
  func reset() {
    result = nil
    parameters.clear()
    counts = []
  }

  // MARK: Parameters

  func bind(_ value: Int64, at parameter: Int32) throws(StorageError) {
    parameters.set(value, at: try index(parameter))
  }

  func bind(_ value: Int64?, at parameter: Int32) throws(StorageError) {
    guard let value else { return parameters.setNull(type: TypeNumber.int8, at: try index(parameter)) }
    parameters.set(value, at: try index(parameter))
  }

  func bind(_ value: String, at parameter: Int32) throws(StorageError) {
    let index = try index(parameter)
    var value = value
    let hasNUL = value.withUTF8 { bytes in
      parameters.set(UnsafeRawBufferPointer(bytes), type: TypeNumber.text, at: index)
      return bytes.contains(0)
    }
    if hasNUL { throw connection.noted(hasNULError) }
  }

  private var hasNULError: StorageError {
    StorageError(
      .constraint, "a text has a NUL character in it, which PostgreSQL can't store", statement: sql,
      remedy: "leave it out, or store bytes")
  }

  func bind(array values: [Int64], at parameter: Int32) throws(StorageError) {
    let index = try index(parameter)
    BinaryArray(values).bytes.withUnsafeBytes { parameters.set($0, type: TypeNumber.int8Array, at: index) }
  }

  func bind(array values: [String], at parameter: Int32) throws(StorageError) {
    let index = try index(parameter)
    if values.contains(where: { $0.utf8.contains(0) }) { throw connection.noted(hasNULError) }
    BinaryArray(values).bytes.withUnsafeBytes { parameters.set($0, type: TypeNumber.textArray, at: index) }
  }

  func bind(_ value: [UInt8], at parameter: Int32) throws(StorageError) {
    let index = try index(parameter)
    value.withUnsafeBytes { parameters.set($0, type: TypeNumber.bytes, at: index) }
  }

  func bindNull(at parameter: Int32) throws(StorageError) {
    parameters.setNull(type: TypeNumber.unknown, at: try index(parameter))
  }

  private func index(_ parameter: Int32) throws(StorageError) -> Int {
    guard (1...Int32(max(placeholders.count, 1))).contains(parameter), placeholders.count > 0 else {
      throw connection.noted(
        StorageError(.other, "?\(parameter) is not among the \(placeholders.count) parameters", statement: sql))
    }
    return Int(parameter) - 1
  }

  // MARK: Running

  func run() throws(StorageError) -> Int {
    let result = try execute()
    if result.hasColumns {
      throw connection.noted(
        StorageError(.other, "the statement answers rows", statement: sql, remedy: "step through them"))
    }
    return result.changes
  }

  func step() throws(StorageError) -> Bool {
    if let result {
      row += 1
      if row < result.rows { return true }
      self.result = nil
      return false
    }
    let answered = try execute()
    guard answered.rows > 0 else { return false }
    result = answered
    row = 0
    return true
  }

  private func execute() throws(StorageError) -> QueryResult {
    try connection.check()
    do throws(StorageError) {
      return try session.run(try preparedName(), placeholders.sql, parameters)
    } catch {
      throw connection.noted(error.naming(sql))
    }
  }

  private func preparedName() throws(StorageError) -> String? {
    if let fitting = prepared.first(where: { parameters.fits($0.types) }) { return fitting.name }
    let name = try session.prepare(placeholders.sql, parameters)
    prepared.append((Array(UnsafeBufferPointer(start: parameters.types, count: parameters.count)), name))
    return name
  }

  // MARK: Many rows

  /// Sends the statement with what is bound now.
  ///
  /// - Returns: whether it is time to ``receive(_:)``.
  func sendAhead() throws(StorageError) -> Bool {
    try connection.check()
    do throws(StorageError) {
      // Preparing for other types waits for an answer, which no pipeline may be in the way of.
      if waiting > 0, !prepared.contains(where: { parameters.fits($0.types) }) { try countWaiting() }
      try session.sendAhead(try preparedName(), placeholders.sql, parameters)
    } catch {
      throw connection.noted(error.naming(sql))
    }
    waiting += 1
    return waiting + counts.count >= Self.pipelineLength
  }

  /// - Returns: the number of changed rows of each statement that was sent ahead since the last time.
  func receive() throws(StorageError) -> [Int] {
    do throws(StorageError) {
      try countWaiting()
    } catch {
      counts = []
      throw connection.noted(error.naming(sql))
    }
    defer { counts.removeAll(keepingCapacity: true) }
    return counts
  }

  private func countWaiting() throws(StorageError) {
    defer { waiting = 0 }
    try session.receive(waiting, placeholders.sql) { counts.append($0) }
  }

  // MARK: Columns

  func integer(_ column: Int32) -> Int64 { result?.integer(row, column) ?? 0 }
  func text(_ column: Int32) -> String { result?.text(row, column) ?? "" }
  func blob(_ column: Int32) -> [UInt8] { result.map { Array($0.bytes(row, column)) } ?? [] }
  func isNull(_ column: Int32) -> Bool { result?.isNull(row, column) ?? true }
}
