import Messages
import ServiceKit

/// The history of timings and its copy in the store. Calls are counted in memory; the copy follows when it is asked to, and as
/// long as the store can't be used, what changes waits in memory.
actor TimingRecord {
  /// The gateway's own calls are counted under it.
  static let ownService = "gateway"
  /// Rows of a transaction, so that no other writer waits long.
  private static let batch = 500
  /// Hours that are deleted in one go; there are more only after a long time without the gateway.
  private static let droppedHours = 48

  private let limits: TimingHistory.Limits
  private let isShared: Bool
  private let storage: (any TimingStorage)?
  private var history: TimingHistory
  private var hasTried = false
  private var isLoaded = false
  private var isComplaining = false
  /// Everything before it was deleted.
  private var firstStoredHour = Int64.min
  private var saving: Task<Void, Never>?

  /// - Parameters:
  ///   - storage: nil keeps all in memory.
  ///   - isShared: whether the gateway's own calls are those of several gateways, some of which go on while this one starts.
  init(
    _ storage: (any TimingStorage)?, limits: TimingHistory.Limits = .init(), isShared: Bool = false, now: WallTime
  ) {
    self.storage = storage
    self.isShared = isShared
    self.limits = limits
    history = TimingHistory(limits: limits, now: now)
  }

  /// Whether hours may be deleted because of their age; they may unless told otherwise.
  func use(mayAge: Bool) { history.mayAge = mayAge }

  /// As ``TimingHistory/add(service:instance:entries:now:)``.
  func add(service: String, instance: String, entries: [Timings.Entry], now: WallTime) {
    history.add(service: service, instance: instance, entries: entries, now: now)
  }

  /// As ``TimingHistory/hours(kind:since:)``.
  func hours(
    kind: Timings.Kind?, since: WallTime?
  ) -> [(endpoint: TimingHistory.Endpoint, hours: [(start: WallTime, Histogram)])] {
    history.hours(kind: kind, since: since)
  }

  /// As ``TimingHistory/totals``.
  var totals: [TimingHistory.Endpoint: Histogram] { history.totals }

  /// Brings back what was saved before the gateway's start. Only the first call waits for that; when it fails, every save tries
  /// again.
  func load(now: WallTime) async {
    guard !hasTried else { return }
    hasTried = true
    await inTurn { await $0.loadNow(now) }
  }

  /// Brings back what another gateway has saved meanwhile; what this one was told beyond that is kept.
  func reload(now: WallTime) async {
    await inTurn { record in
      record.hasTried = true
      record.isLoaded = false
      await record.loadNow(now)
    }
  }

  /// Copies what has changed into the store. Returns when that is done, or can't be done now.
  func save(now: WallTime) async { await inTurn { await $0.saveNow(now) } }

  /// One after the other: a reentrant actor would copy the same changes twice.
  private func inTurn(_ body: @escaping @Sendable (isolated TimingRecord) async -> Void) async {
    let previous = saving
    let turn = Task {
      await previous?.value
      await body(self)
    }
    saving = turn
    await turn.value
  }

  private func loadNow(_ now: WallTime) async {
    guard let storage, !isLoaded else { return }
    do {
      // The current hour's come on top of those of past hours.
      let saved = try await storage.load(limit: limits.histograms + 2 * limits.endpoints)
      var loaded = TimingHistory(
        limits: limits, restoring: saved, ownService: isShared ? nil : Self.ownService, now: now, mayAge: history.mayAge
      )
      loaded.takeOver(history, now: now)
      history = loaded
      isLoaded = true
    } catch {
      complain(error)
    }
  }

  private func saveNow(_ now: WallTime) async {
    await loadNow(now)
    // Before that it would overwrite what it does not know.
    guard let storage, isLoaded else { return }
    while let changes = history.takeChanges(limit: Self.batch) {
      do {
        try await storage.save(changes)
      } catch {
        history.putBack(changes)
        complain(error)
        return
      }
    }
    await dropHours(storage)
  }

  private func dropHours(_ storage: any TimingStorage) async {
    let first = history.firstHour
    guard history.mayAge, first > firstStoredHour else { return recover() }
    do {
      for _ in 0..<Self.droppedHours {
        guard try await storage.dropHour(before: first) else {
          firstStoredHour = first
          break
        }
      }
      recover()
    } catch {
      complain(error)
    }
  }

  private func complain(_ error: any Error) {
    guard !isComplaining else { return }
    isComplaining = true
    Log.error("the history of timings is kept in memory until the store can be used again", ["reason": LogValue(error)])
  }

  private func recover() {
    guard isComplaining else { return }
    isComplaining = false
    Log.info("the history of timings is saved again")
  }
}
