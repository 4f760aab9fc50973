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
    if !run.isRead { try await read() }
    let reason = try await tellWhatIsGone()
    try await runs.finish(run.id, reason: reason)
  }

  private func read() async throws {
    if run.kind == .full, run.read == 0 { try await sendMapped() }
    var batch = RunBatch(after: run.lastID)
    var writing: Task<Void, any Error>?
    var fetching = fetch(after: run.lastID)
    defer { fetching.cancel() }
    do {
      while !batch.isLast {
        let page = try await value(of: fetching)
        if !page.isLast { fetching = fetch(after: page.last) }
        let (entries, facts, issues) = try await intake.entries(of: page.products, origin: .shop)
        if !batch.isEmpty, !batch.hasRoom(for: page.ids.count) {
          try await writing?.value
          writing = try await write(batch)
          batch = RunBatch(after: batch.last)
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

  private func fetch(after: Int64) -> Task<CatalogPage, any Error> {
    let reader = intake.reader
    return Task(executorPreference: loop) {
      let askedAt = WallClock.nanoseconds()
      let page = try await reader.client.readPage(
        "V1/products", reader.criteria, id: .product, after: after, pageSize: reader.pageSize)
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
    let added = intake.added
    return Task(executorPreference: loop) {
      let outcome = try await pending.value()
      if outcome.exported > 0 || outcome.deactivated > 0 { added() }
    }
  }
}

/// Another replica goes on with the run.
struct RunTakenOver: Error, CustomStringConvertible {
  var description: String { "another replica goes on with the run" }
}
