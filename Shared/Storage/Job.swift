/// A call that waits for the store's thread.
///
/// Sendable, its subclass included: the caller makes it and hands it over; from then on the store's thread alone uses it.
class Job: @unchecked Sendable {
  /// How much of a batch it takes, e.g. its rows.
  let weight: Int

  init(weight: Int) { self.weight = weight }

  /// Runs the body and keeps what it came to.
  ///
  /// - Returns: what the body threw; nil means that its changes are to be committed.
  func run(_ connection: Connection) -> (any Error)? { preconditionFailure("abstract") }

  /// Tells the caller what ``run(_:)``, or else ``fail(_:)``, came to.
  func finish() { preconditionFailure("abstract") }

  /// Takes back what ``run(_:)`` came to, or takes its place: nothing was done.
  func fail(_ error: StorageError) { preconditionFailure("abstract") }
}

/// A job whose body answers a value.
final class TypedJob<Value: Sendable>: Job, @unchecked Sendable {
  let pending = PendingResult<Value>()
  private let body: @Sendable (Connection) throws -> Value
  private var outcome: Result<Value, any Error>?

  init(weight: Int, body: @escaping @Sendable (Connection) throws -> Value) {
    self.body = body
    super.init(weight: weight)
  }

  override func run(_ connection: Connection) -> (any Error)? {
    do {
      outcome = .success(try body(connection))
      return nil
    } catch {
      outcome = .failure(error)
      return error
    }
  }

  override func finish() {
    guard let outcome else { preconditionFailure("finished without an outcome") }
    pending.complete(outcome)
  }

  override func fail(_ error: StorageError) { outcome = .failure(error) }
}
