/// A call that waits for the store's thread.
///
/// Sendable, its subclasses included: the caller makes it and hands it over; from then on the store's thread alone uses it.
@usableFromInline class Job: @unchecked Sendable {
  /// How much of a batch it takes, e.g. its rows.
  @usableFromInline let weight: Int
  /// What it is about, see ``Database/write(weight:key:_:)``.
  @usableFromInline let key: String?
  /// nil for the store's own.
  let isolation: Isolation?

  @usableFromInline init(weight: Int, key: String?, isolation: Isolation?) {
    self.weight = weight
    self.key = key
    self.isolation = isolation
  }

  /// Runs the body and keeps what it came to, the last time that it is called.
  ///
  /// - Returns: what the body threw; nil means that its changes are to be committed.
  @usableFromInline func run(_ connection: Connection) -> (any Error)? { preconditionFailure("abstract") }

  /// Whether one run does for both; `other` comes right behind it.
  @usableFromInline func isRunTogether(with other: Job) -> Bool { false }

  /// As ``run(_:)`` for itself and for `others`, with which it is run together.
  @usableFromInline func run(_ connection: Connection, with others: ArraySlice<Job>) -> (any Error)? { run(connection) }

  /// Tells the caller what ``run(_:)``, or else ``fail(_:)``, came to.
  @usableFromInline func finish() { preconditionFailure("abstract") }

  /// Takes back what ``run(_:)`` came to, or takes its place: nothing was done.
  @usableFromInline func fail(_ error: StorageError) { preconditionFailure("abstract") }
}

/// A job whose body answers a value.
@usableFromInline class TypedJob<Value: Sendable>: Job, @unchecked Sendable {
  @usableFromInline let pending = PendingResult<Value>()
  @usableFromInline let body: @Sendable (Connection) throws -> Value
  @usableFromInline var outcome: Result<Value, any Error>?

  @inlinable init(
    weight: Int, key: String? = nil, isolation: Isolation? = nil, body: @escaping @Sendable (Connection) throws -> Value
  ) {
    self.body = body
    super.init(weight: weight, key: key, isolation: isolation)
  }

  @inlinable override func run(_ connection: Connection) -> (any Error)? {
    do {
      outcome = .success(try body(connection))
      return nil
    } catch {
      outcome = .failure(error)
      return error
    }
  }

  @inlinable override func finish() {
    guard let outcome else { preconditionFailure("finished without an outcome") }
    pending.complete(outcome)
  }

  @inlinable override func fail(_ error: StorageError) { outcome = .failure(error) }
}
