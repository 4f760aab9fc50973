import EventLoop
import Storage

extension Lease {
  /// Does something that of all replicas one does at a time: takes the lease of `key`, renews it in the background however long
  /// `body` takes, and ends it.
  ///
  /// Whoever has lost it all the same learns that from ``Lease/renew(_:for:now:)`` in the transaction that stores what was done.
  ///
  /// When `body` throws, the lease is given back: another replica may be luckier. One that can't be given back is logged and ends
  /// by itself, for what `body` returned or threw is what counts.
  ///
  /// - Parameters:
  ///   - holder: unique among those who ask, also after a restart.
  ///   - duration: how long a replica that has died keeps the others from it; the lease is renewed three times as often.
  ///   - loop: keeps the time.
  ///   - rest: how long the others leave it alone once it was done; zero for not at all. The same holder may do it sooner.
  /// - Returns: nil when another one has the lease.
  /// - Throws: what `body` throws, or ``StorageError`` when the lease can't be asked for.
  public static func held<Result>(
    _ key: String, by holder: String, for duration: Duration, in database: Database, on loop: EventLoop,
    restingFor rest: Duration = .zero, _ body: (Lease) async throws -> Result
  ) async throws -> Result? {
    let acquired = try await database.write { try acquire($0, key: key, holder: holder, for: duration) }
    guard let lease = acquired else { return nil }
    let result: Result
    do {
      result = try await lease.kept(in: database, for: duration, on: loop) { try await body(lease) }
    } catch {
      await lease.end(in: database, restingFor: .zero)
      throw error
    }
    await lease.end(in: database, restingFor: rest)
    return result
  }

  /// Returns when the lease is not renewed any more, so that it can be ended.
  private func kept<Result>(
    in database: Database, for duration: Duration, on loop: EventLoop, _ body: () async throws -> Result
  ) async throws -> Result {
    let keeping = Task(executorPreference: loop) { await keep(in: database, for: duration, on: loop) }
    let result: Result
    do {
      result = try await body()
    } catch {
      keeping.cancel()
      await keeping.value
      throw error
    }
    keeping.cancel()
    await keeping.value
    return result
  }

  private func keep(in database: Database, for duration: Duration, on loop: EventLoop) async {
    while !Task.isCancelled {
      await loop.sleep(for: duration / 3)
      if Task.isCancelled { return }
      do {
        _ = try await database.write { try renew($0, for: duration) }
      } catch {
        Log.warning("a lease can't be renewed", ["lease": "\(key)", "reason": LogValue(error)])
      }
    }
  }

  private func end(in database: Database, restingFor rest: Duration) async {
    do {
      try await database.write { connection in
        if rest > .zero { _ = try renew(connection, for: rest) } else { try release(connection) }
      }
    } catch {
      Log.warning("a lease can't be ended; its time runs out", ["lease": "\(key)", "reason": LogValue(error)])
    }
  }
}
