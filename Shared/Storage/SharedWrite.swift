/// A body that does for several calls at once: those that wait one behind the other, of one key, are run as one, in one go.
///
/// Many small calls then need the statements of a single one, and PostgreSQL takes a request for each statement.
public final class SharedWrite<Input: Sendable, Value: Sendable>: Sendable {
  @usableFromInline let body: @Sendable (Connection, [Input]) throws -> [Value]

  /// - Parameter body: answers a value for each input, in their order. As the body of ``Database/write(weight:key:isolation:_:)``
  ///   otherwise; after it has thrown, each input is run by itself.
  public init(_ body: @escaping @Sendable (Connection, [Input]) throws -> [Value]) { self.body = body }

  @inlinable func values(of inputs: [Input], _ connection: Connection) throws -> [Value] {
    let values = try body(connection, inputs)
    precondition(values.count == inputs.count, "a shared write answered \(values.count) values for \(inputs.count)")
    return values
  }
}

extension Database {
  /// As ``enqueueWrite(weight:key:isolation:_:)`` with a body that others share.
  ///
  /// - Throws: `overloaded` or `closed`.
  @inlinable
  public func enqueueWrite<Input, Value>(
    _ input: Input, to shared: SharedWrite<Input, Value>, weight: Int = 1, key: String? = nil,
    isolation: Isolation? = nil
  ) throws(StorageError) -> PendingResult<Value> {
    let job = SharedJob(input, shared, weight: weight, key: key, isolation: isolation)
    try writes.add(job)
    return job.pending
  }
}

/// A job whose body may do for its neighbours, too.
@usableFromInline final class SharedJob<Input: Sendable, Value: Sendable>: TypedJob<Value>, @unchecked Sendable {
  @usableFromInline let shared: SharedWrite<Input, Value>
  @usableFromInline let input: Input

  @inlinable init(_ input: Input, _ shared: SharedWrite<Input, Value>, weight: Int, key: String?, isolation: Isolation?)
  {
    (self.input, self.shared) = (input, shared)
    super.init(weight: weight, key: key, isolation: isolation) { try shared.values(of: [input], $0)[0] }
  }

  @inlinable override func isRunTogether(with other: Job) -> Bool {
    guard let other = other as? SharedJob, other.shared === shared else { return false }
    // By their bytes: texts that Unicode holds for equal are different keys.
    return (other.key == nil) == (key == nil) && (other.key ?? "").utf8.elementsEqual((key ?? "").utf8)
  }

  @inlinable override func run(_ connection: Connection, with others: ArraySlice<Job>) -> (any Error)? {
    if others.isEmpty { return run(connection) }
    let jobs = [self] + others.compactMap { $0 as? SharedJob }
    do {
      let values = try shared.values(of: jobs.map(\.input), connection)
      for (job, value) in zip(jobs, values) { job.outcome = .success(value) }
      return nil
    } catch {
      for job in jobs { job.outcome = .failure(error) }
      return error
    }
  }
}
