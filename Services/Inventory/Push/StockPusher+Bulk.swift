import Commerce
import Messages
import ServiceKit
import Storage

/// What there is of a partition's bulk job.
enum BulkOutcome: Sendable, Equatable {
  case open(uuid: String)
  /// What it leaves is due.
  ///
  /// - Parameter mayBulk: whether it may go as a bulk job again.
  case over(mayBulk: Bool)
  /// Nobody can say whether or when it runs. What it was sent with goes beside it, and once more at that time, nanoseconds since
  /// 1970. There is no further one before then.
  case lost(againAt: Int64)
}

extension StockPusher {
  /// Sends rows as a bulk job, which is noted first: the shop may take it and its answer be lost.
  func startBulk(
    _ rows: [DueStock], _ code: String, _ route: PushRoute, _ key: PushKey, _ item: WorkItem,
    _ sender: StockSender
  ) async throws -> WorkOutcome {
    let (values, refused) = try await values(of: rows, route)
    if !refused.isEmpty { try await settle(SentStock(failed: refused), route, key, item) }
    // What needs a word to the product goes by itself, later.
    let rows = values.filter { $0.isManaged == nil }
    guard rows.count >= PushLimits.bulkFrom else {
      let sent = await sender.send(Array(values.prefix(Self.rowsAtOnce)), route)
      try await settle(sent, route, key, item)
      if let error = sent.stopped { throw error }
      return .again(after: .zero, reason: "more is due")
    }
    let bulk = OpenBulk(openedAt: now())
    try await underLease(item, weight: rows.count) { connection in
      try PushQueue.open(bulk, rows.map(\.row), key, connection)
      // While it is under way nothing is compared with it.
      try ToldStock.note(rows, route, key, connection)
    }
    do {
      let uuid = try await BulkJobs(client: client).start(rows, source: code)
      // Also when the lease is lost: whoever has it has to know of the job.
      try await database.write { try PushQueue.accepted(bulk, as: uuid, key, $0) }
      return .again(after: Self.bulkPause, reason: "bulk job \(uuid) is under way")
    } catch let error as CommerceError where !error.mayHaveHadEffect {
      try await underLease(item, weight: rows.count) { try PushQueue.closeBulk(key, $0) }
      if limits.lower(after: error, from: rows.count, asynchronous: true) {
        return .again(after: .zero, reason: "\(error)")
      }
      guard error.kind == .notFound || error.kind == .refused else { throw error }
      limits.giveUpBulk()
      Log.info("the shop takes no bulk jobs; stock goes in small parts", ["reason": LogValue(error)])
      return .again(after: .zero, reason: "\(error)")
    }
  }

  /// Looks at what has become of a job.
  ///
  /// - Throws: when that can't be told now; it is asked again, until ``bulkPatience`` is over.
  func follow(_ bulk: OpenBulk, _ key: PushKey, _ item: WorkItem) async throws -> BulkOutcome {
    let now = now()
    if bulk.isLost {
      guard bulk.againAt <= now else { return .lost(againAt: bulk.againAt) }
      try await underLease(item, weight: limits.asynchronousRows) {
        try PushQueue.pushLostAgain(key, $0, at: now)
      }
      return .over(mayBulk: true)
    }
    if bulk.uuid.isEmpty { return try await lose(bulk, "the shop's answer to a bulk job was lost", key, item) }
    let state: BulkJobs.State
    do {
      state = try await BulkJobs(client: client).state(of: bulk.uuid)
    } catch let error as CommerceError {
      if error.kind == .unauthorized { limits.giveUpBulk() }
      guard now - bulk.openedAt > Self.bulkPatience else { throw error }
      return try await lose(bulk, "what has become of bulk job \(bulk.uuid) can't be read: \(error)", key, item)
    }
    switch state {
    case .silent:
      guard now - bulk.openedAt > Self.bulkPatience else { return .open(uuid: bulk.uuid) }
      return try await lose(bulk, "the shop tells nothing of the operations of bulk job \(bulk.uuid)", key, item)
    case .open:
      if now - bulk.openedAt > Self.bulkPatience {
        await note(
          "bulk job \(bulk.uuid) is open since \(Google.Protobuf.Timestamp(nanosecondsSinceEpoch: bulk.openedAt).text); "
            + "does the shop's consumer async.operations.all run?", key)
      }
      return .open(uuid: bulk.uuid)
    case .unknown:
      return try await lose(bulk, "the shop doesn't know bulk job \(bulk.uuid), which it had taken", key, item)
    case .done, .retriable, .refused:
      try await underLease(item, weight: limits.asynchronousRows) { connection in
        if state == .done {
          try PushQueue.settle(try PushQueue.sent(key, connection), key, connection)
          try PushQueue.notePushed(key, connection, at: now)
        }
        try PushQueue.closeBulk(key, connection)
      }
      // What did not pass goes in small parts, which tell why.
      return .over(mayBulk: state == .done)
    }
  }

  private func lose(
    _ bulk: OpenBulk, _ reason: String, _ key: PushKey, _ item: WorkItem
  ) async throws -> BulkOutcome {
    let againAt = now() + Self.bulkPatience
    let text = Google.Protobuf.Timestamp(nanosecondsSinceEpoch: againAt / 1_000_000_000 * 1_000_000_000).text
    let whole = "\(reason); its SKUs are pushed anew, and once more at \(text), in case that it still runs"
    try await underLease(item, weight: limits.asynchronousRows) {
      try PushQueue.lose(key, reason: whole, againAt: againAt, $0)
    }
    Log.warning("a bulk job is lost", ["aggregate_id": "\(quotable(key.aggregateId))", "reason": "\(whole)"])
    return .lost(againAt: againAt)
  }

  /// A transaction of the one who has the partition.
  private func underLease(
    _ item: WorkItem, weight: Int, _ body: @escaping @Sendable (Connection) throws -> Void
  ) async throws {
    try await database.write(weight: weight) { connection in
      guard try PushQueue.work.prolong(connection, item, for: Self.hold) else { throw LeaseLost() }
      try body(connection)
    }
  }
}
