extension Statement {
  /// Binds a list as a `BIGINT[]`. PostgreSQL only; SQLite has no arrays.
  public func bind(array values: [Int64], at parameter: Int32) throws(StorageError) {
    try postgresql.bind(array: values, at: parameter)
  }

  /// Binds a list as a `TEXT[]`. PostgreSQL only; SQLite has no arrays.
  public func bind(array values: [String], at parameter: Int32) throws(StorageError) {
    try postgresql.bind(array: values, at: parameter)
  }

  /// Runs a statement that answers no rows once for each of `rows`: the path of bulk writes. PostgreSQL gets them ahead of their
  /// results.
  ///
  /// - Parameters:
  ///   - text: a row's text for `parameter`, bound for the time of the call and not copied where that can be.
  ///   - bind: binds the row's other values; of the same types for each row. It must not run statements.
  ///   - changed: told how many rows of the table each row inserted, updated or deleted, in order.
  @inlinable
  @inline(__always)
  public func runEach<Rows: Collection>(
    _ rows: Rows, text: (Rows.Element) -> String, at parameter: Int32,
    bind: (Rows.Element) throws(StorageError) -> Void, changed: (Rows.Element, Int) -> Void
  ) throws(StorageError) {
    if isPipelined { return try sendEach(rows, text: text, at: parameter, bind: bind, changed: changed) }
    for row in rows {
      try bind(row)
      changed(row, try run(text: text(row), at: parameter))
    }
  }

  @usableFromInline var isPipelined: Bool { handle == nil }

  @inlinable
  func sendEach<Rows: Collection>(
    _ rows: Rows, text: (Rows.Element) -> String, at parameter: Int32,
    bind: (Rows.Element) throws(StorageError) -> Void, changed: (Rows.Element, Int) -> Void
  ) throws(StorageError) {
    var next = rows.startIndex
    do throws(StorageError) {
      for row in rows {
        try bind(row)
        try self.bind(text(row), at: parameter)
        guard try sendAhead() else { continue }
        for count in try receive() {
          changed(rows[next], count)
          rows.formIndex(after: &next)
        }
      }
    } catch {
      // What is under way has to be read, or nothing else can be run; the first error is the one that counts.
      _ = try? receive()
      throw error
    }
    for count in try receive() {
      changed(rows[next], count)
      rows.formIndex(after: &next)
    }
  }

  @usableFromInline func sendAhead() throws(StorageError) -> Bool { try postgresql.sendAhead() }

  /// How many rows each statement that was sent ahead has changed.
  @usableFromInline func receive() throws(StorageError) -> [Int] { try postgresql.receive() }
}
