import EventLoop
import Storage

// What the relay reads from the store and writes into it: one of each at a time.

extension OutboxRelay {
  func startStoreWork(_ now: UInt64, _ group: inout DiscardingTaskGroup) {
    if now < storePausedUntil { return }
    if !isWriting, !taken.isEmpty || !refused.isEmpty {
      isWriting = true
      group.addTask { await self.writeDown() }
    }
    if now >= nextLook {
      nextLook = now + options.interval.nanoseconds
      mayHaveMore = true
      // From the start: see ``Outbox/rows(_:after:room:except:)``.
      cursor = 0
    }
    if wasTold() { mayHaveMore = true }
    if !isLooking, mayHaveMore, window.room != nil {
      isLooking = true
      mayHaveMore = false
      group.addTask { await self.look() }
    }
    if !isLooking, !window.isEmpty, now >= nextRenewal {
      isLooking = true
      group.addTask { await self.renew() }
    }
  }

  private func wasTold() -> Bool {
    isTold.withLock { told in
      defer { told = false }
      return told
    }
  }

  /// Takes more rows, once this replica may.
  func look() async {
    defer {
      isLooking = false
      stir()
    }
    let (outbox, holder, lease) = (outbox, holder, options.lease)
    do {
      if EventLoop.monotonicNanoseconds() >= leasedUntil {
        guard try await database.read({ try outbox.awaits(holder, $0, for: lease) }), try await takeLease() else {
          return
        }
        cursor = 0
      }
      guard let room = window.room else { return }
      let (after, known) = (cursor, window.known)
      let (rows, engine) = try await database.read { connection in
        (try outbox.rows(connection, after: after, room: room, except: known.contains), connection.engine)
      }
      window.add(rows)
      // On PostgreSQL a row may appear behind one that was read already. Looking there now and then would find it, but the
      // next row of its key, which a client has asked for after it, could have gone by then: each look begins at the start.
      if engine == .sqlite { cursor = max(cursor, rows.last?.id ?? 0) }
      let bytes = rows.reduce(0) { $0 + $1.message.body.count }
      if rows.count >= room.rows || bytes >= room.bytes { mayHaveMore = true }
    } catch {
      storeFailed(error)
    }
  }

  private func renew() async {
    defer {
      isLooking = false
      stir()
    }
    do {
      _ = try await takeLease()
    } catch {
      storeFailed(error)
    }
  }

  private func takeLease() async throws -> Bool {
    let (outbox, holder, lease) = (outbox, holder, options.lease)
    let now = EventLoop.monotonicNanoseconds()
    let isOurs = try await database.write { try outbox.lease($0, to: holder, for: lease) }
    leasedUntil = isOurs ? now + lease.nanoseconds : 0
    nextRenewal = now + (isOurs ? lease.nanoseconds / 2 : options.interval.nanoseconds)
    // Another replica relays: it has read the same rows.
    if !isOurs { window.dropWaiting() }
    return isOurs
  }

  /// Removes what the gateway has, and puts aside what it refuses: all in one transaction that has come together during the
  /// last one.
  private func writeDown() async {
    defer {
      isWriting = false
      stir()
    }
    let (outbox, taken, refused) = (outbox, taken, refused)
    self.taken = []
    self.refused = []
    do {
      try await database.write(weight: taken.count + refused.count) { connection in
        try outbox.remove(connection, taken)
        for (id, reason) in refused { try outbox.refuse(connection, id, reason: String(reason.prefix(1_000))) }
      }
      window.removed(taken)
      window.removed(refused.map(\.id))
    } catch {
      self.taken += taken
      self.refused += refused
      storeFailed(error)
    }
  }

  func storeFailed(_ error: any Error) {
    storePausedUntil = EventLoop.monotonicNanoseconds() + options.interval.nanoseconds
    mayHaveMore = true
    guard let suppressed = failureLines.take() else { return }
    Log.warning(
      "the store fails the outbox's relay; it goes on later",
      ["reason": LogValue(error), "suppressed": LogValue(suppressed)])
  }

  /// Leaves the outbox to others. What can't be written down is handed over again some time.
  func leave() async {
    if !taken.isEmpty || !refused.isEmpty { await writeDown() }
    if leasedUntil == 0 { return }
    let (outbox, holder) = (outbox, holder)
    do {
      try await database.write { try outbox.release($0, by: holder) }
    } catch {
      Log.warning(
        "the outbox's relay could not give its right back; another replica waits for its end",
        ["reason": LogValue(error)])
    }
  }
}
