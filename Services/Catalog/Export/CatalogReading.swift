import Commerce
import EventLoop
import Messages
import ServiceKit
import Storage

/// Reads the whole catalog of the shop for a run, from where it was, and tells the OMS of it.
///
/// While one page is on its way, the one before it is made the OMS's, and the pages before that are being committed. How far this
/// may run ahead of the gateway is bounded by what waits in the outbox.
struct CatalogReading: Sendable {
  /// How long a dead replica keeps the others from going on.
  static let hold = Duration.seconds(15)

  let run: CatalogRun
  let lease: Lease
  let runs: RunStore
  let intake: ShopIntake
  let loop: EventLoop

  /// - Throws: `CommerceError` when the shop can't be read, ``RunReplaced`` and ``RunTakenOver`` when it is not ours any more; what
  ///   was stored stays.
  func callAsFunction() async throws {
    if !run.isRead { try await tellingOfFailures { try await read($0) } }
    let reason = try await tellWhatIsGone()
    try await runs.finish(run.id, reason: reason)
  }

  private typealias Failures = AsyncStream<PageFailure?>.Continuation

  /// Notes at the run which page is tried again and why, while it is: a slow shop may take many minutes for one.
  private func tellingOfFailures(_ body: (Failures) async throws -> Void) async throws {
    let (failures, telling) = AsyncStream.makeStream(of: PageFailure?.self, bufferingPolicy: .bufferingNewest(1))
    let (runs, id) = (runs, run.id)
    let noting = Task(executorPreference: loop) {
      var last: PageFailure?
      for await failure in failures {
        last = failure
        try await runs.note(id, reason: failure.map { "\($0)" } ?? "")
      }
      return last
    }
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await body(telling))
    } catch {
      outcome = .failure(error)
    }
    telling.finish()
    let last = try await noting.value
    // The pages before, which were stored last, have taken it away.
    if case .failure(let error as CommerceError) = outcome, let last, last.error == error {
      try await runs.note(id, reason: "\(last)")
    }
    try outcome.get()
  }

  private func read(_ failures: Failures) async throws {
    if run.kind == .full, run.read == 0 { try await sendMapped() }
    let unreadable = UnreadableItems(of: CatalogPolling.name)
    var passing = try await intake.store.database.read { try unreadable.passing($0) }
    var batch = RunBatch(after: run.lastID, passedOver: passing.known)
    var writing: Task<Void, any Error>?
    var fetching = fetch(after: run.lastID, passing, failures)
    defer { fetching.cancel() }
    do {
      while !batch.isLast {
        let page = try await value(of: fetching)
        unreadable.log(page.unreadable)
        passing.limit -= page.unreadable.count
        if !page.isLast { fetching = fetch(after: page.last, passing, failures) }
        let (entries, facts, issues) = try await intake.entries(of: page.products, origin: .shop)
        if !batch.isEmpty, !batch.hasRoom(for: page.ids.count) {
          try await writing?.value
          writing = try await write(batch)
          batch = RunBatch(after: batch.last, passedOver: passing.known)
        }
        batch.add(page, entries, facts, issues)
      }
    } catch let error as CommerceError {
      // What was read is not to be read again.
      try await writing?.value
      if !batch.isEmpty { try await write(batch).value }
      throw error
    }
    try await writing?.value
    try await write(batch).value
  }

  private func sendMapped() async throws {
    let mapped = MappedProducts(mapping: intake.reader.mapping, store: intake.store)
    _ = try await mapped.export(try await intake.reader.facts.current(), sendsAll: true)
    intake.added()
  }

  private func fetch(after: Int64, _ passing: PassedOver, _ failures: Failures) -> Task<CatalogPage, any Error> {
    let reader = intake.reader
    return Task(executorPreference: loop) {
      let askedAt = WallClock.nanoseconds()
      var hasFailed = false
      let page = try await reader.client.readPage(
        "V1/products", reader.criteria, id: .product, after: after, pageSize: reader.pageSize, passing: passing
      ) { failure in
        hasFailed = true
        failures.yield(failure)
      }
      if hasFailed { failures.yield(nil) }
      return CatalogPage(page, after: after, askedAt: askedAt, reader)
    }
  }

  private func value(of fetching: Task<CatalogPage, any Error>) async throws -> CatalogPage {
    try await withTaskCancellationHandler {
      try await fetching.value
    } onCancel: {
      fetching.cancel()
    }
  }

  /// Hands a batch to the store once the outbox has room; the task ends when it is durable.
  private func write(_ batch: RunBatch) async throws -> Task<Void, any Error> {
    let (run, lease) = (run, lease)
    try await OutboxRoom(store: intake.store, loop: loop).wait { depth in
      try await runs.note(
        run.id,
        reason: "\(depth.waiting)\(depth.isMore ? " or more" : "") messages wait for the gateway; see omsctl status")
    }
    let pending = try intake.store.enqueueTakeOver(batch.entries, sendsAll: run.kind == .full, facts: batch.facts) {
      connection, outcome in
      guard try lease.renew(connection, for: Self.hold) != nil else { throw RunTakenOver() }
      try batch.note(connection, run, outcome)
    }
    let intake = intake
    return Task(executorPreference: loop) {
      intake.noteTaken(try await pending.value())
    }
  }
}

/// Another replica goes on with the run.
struct RunTakenOver: Error, CustomStringConvertible {
  var description: String { "another replica goes on with the run" }
}
