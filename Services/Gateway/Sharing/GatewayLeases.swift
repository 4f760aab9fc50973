import EventLoop
import ServiceKit
import Storage

/// What gateways on one store share among themselves, on PostgreSQL: the partitions of the journal, evenly, and the work that one of
/// them does for all.
///
/// A lease lasts three seconds and is renewed every second, so that what a dead gateway had is with others within five. The holder
/// counts from before it asked, on a clock of its own: when its time is over nothing new is begun, even if nobody can be asked. What
/// is still under way then does no harm: services know a delivery that they have had, and the journal notes the end of a message once.
actor GatewayLeases {
  /// What a lease is for.
  struct Duty: Sendable {
    let key: String
    /// Works until the task is cancelled and what is under way has ended.
    let work: @Sendable () async -> Void
    /// The lease is lost: called when the task was cancelled, so that nothing is waited for.
    var abandon: @Sendable () async -> Void = {}
    /// Told until when the lease is this gateway's, by the clock of the leases; 0 for one that is not.
    var hold: @Sendable (_ end: UInt64) -> Void = { _ in }
  }

  static let duration = Duration.seconds(3)
  static let interval = Duration.seconds(1)

  let instance: String
  private let store: LeaseStore
  private let held: HeldPartitions
  /// By partition.
  private let shared: [Duty]
  private let single: [Duty]
  private let now: @Sendable () -> UInt64
  private let share: @Sendable (Int) async -> Void
  /// By key.
  private var running: [String: Task<Void, Never>] = [:]
  /// Being given back, or lost: their work has to end first.
  private var ending: [String: Task<Void, Never>] = [:]
  /// Rounds that have begun.
  private var rounds = 0
  /// By key: the last round that may have seen a lease which was given back since. It does not say whose that is now.
  private var outdated: [String: Int] = [:]
  private var live = 1
  private var lastError = ""
  private var lastRefusal = ""

  /// - Parameters:
  ///   - instance: unique to this start of this process.
  ///   - held: told of the partitions.
  ///   - shared: the partitions' duties, in their order.
  ///   - single: each for one gateway, whichever has it.
  ///   - share: told how many gateways are there whenever that has changed.
  ///   - now: a clock that nobody sets and that goes on while the machine sleeps, in nanoseconds.
  init(
    _ store: LeaseStore, instance: String = String(UInt64.random(in: .min ... .max), radix: 36), held: HeldPartitions,
    shared: [Duty], single: [Duty] = [], share: @escaping @Sendable (Int) async -> Void = { _ in },
    now: @escaping @Sendable () -> UInt64 = { ConfirmedClock.elapsed() }
  ) {
    self.store = store
    self.instance = instance
    self.held = held
    self.shared = shared
    self.single = single
    self.share = share
    self.now = now
  }

  /// Whether no other gateway is there.
  var isAlone: Bool { live <= 1 }

  /// The keys that are worked on.
  var keys: Set<String> { Set(running.keys) }

  /// Works until the task is cancelled, and then until everything has ended and is given back.
  func run() async {
    while !Task.isCancelled {
      await round()
      // A cancelled sleep is the end.
      _ = try? await Task.sleep(for: Self.interval)
    }
    await leave()
  }

  /// Renews, takes and gives back.
  ///
  /// - Parameter time: nanoseconds since 1970; nil for the server's clock.
  func round(at time: Int64? = nil) async {
    rounds += 1
    let (number, start) = (rounds, now())
    do {
      let round = try await store.renew(instance, for: Self.duration, now: time)
      let isOther = round.live != live
      use(round, number, until: start + Self.duration.nanoseconds)
      if isOther {
        Log.info("gateways on the store", ["count": LogValue(live)])
        await share(live)
      }
      await take(round, number, at: time)
      if !lastError.isEmpty { Log.info("leases are renewed again") }
      lastError = ""
    } catch {
      let text = "\(error)"
      if text != lastError { Log.warning("leases can't be renewed", ["reason": LogValue(error)]) }
      lastError = text
    }
  }

  /// Takes what nobody has: of the shared leases no more than its share. Where that fails, what it has is renewed still.
  private func take(_ round: LeaseStore.Round, _ number: Int, at time: Int64?) async {
    let count = LeaseStore.share(of: shared.count, among: round.live) - shared.count { round.held.contains($0.key) }
    let free = count > 0 ? shared.map(\.key).filter { !round.taken.contains($0) } : []
    let others = single.map(\.key).filter { !round.taken.contains($0) }
    if free.isEmpty, others.isEmpty { return }
    let start = now()
    do {
      let keys = try await store.take(
        instance, shared: free, atMost: count, single: others, for: Self.duration, now: time)
      hold(current(keys, number), until: start + Self.duration.nanoseconds)
      lastRefusal = ""
    } catch {
      let text = "\(error)"
      if text != lastRefusal { Log.warning("leases that nobody has can't be taken", ["reason": LogValue(error)]) }
      lastRefusal = text
    }
  }

  private func use(_ round: LeaseStore.Round, _ number: Int, until end: UInt64) {
    live = round.live
    let keys = current(round.held, number)
    for (partition, duty) in shared.enumerated() where !keys.contains(duty.key) { held.end(partition) }
    for duty in single where !keys.contains(duty.key) { duty.hold(0) }
    for duty in shared + single where !keys.contains(duty.key) {
      if let task = running.removeValue(forKey: duty.key) { lose(duty, task) }
    }
    hold(keys, until: end)
    let share = LeaseStore.share(of: shared.count, among: live)
    let mine = shared.indices.filter { running[shared[$0].key] != nil }
    for partition in mine.dropFirst(share) { giveBack(partition) }
  }

  private func hold(_ keys: Set<String>, until end: UInt64) {
    for (partition, duty) in shared.enumerated() where keys.contains(duty.key) { held.hold(partition, until: end) }
    for duty in single where keys.contains(duty.key) { duty.hold(end) }
    for duty in shared + single where keys.contains(duty.key) {
      if running[duty.key] == nil, ending[duty.key] == nil { begin(duty) }
    }
  }

  /// Those that were not given back while the round was under way.
  private func current(_ keys: Set<String>, _ number: Int) -> Set<String> {
    keys.filter { number > outdated[$0, default: 0] }
  }

  private func begin(_ duty: Duty) { running[duty.key] = Task { await duty.work() } }

  private func lose(_ duty: Duty, _ task: Task<Void, Never>) {
    Log.warning("another gateway has taken over", ["lease": "\(duty.key)"])
    task.cancel()
    ending[duty.key] = Task {
      await duty.abandon()
      await task.value
      self.ended(duty.key)
    }
  }

  /// To a gateway that has less.
  private func giveBack(_ partition: Int) {
    let key = shared[partition].key
    guard let task = running.removeValue(forKey: key) else { return }
    task.cancel()
    let (store, instance, held) = (store, instance, held)
    ending[key] = Task {
      await task.value
      self.outdated[key] = .max
      held.end(partition)
      do {
        try await store.release([key], of: instance)
      } catch {
        // It is renewed no longer than this gateway believes that it has it, and may be begun again.
        Log.warning("a lease can't be given back", ["lease": "\(key)", "reason": LogValue(error)])
      }
      self.outdated[key] = self.rounds
      self.ended(key)
    }
  }

  private func ended(_ key: String) { ending[key] = nil }

  /// Returns when what was given back or lost has ended.
  func settled() async { for task in ending.values { await task.value } }

  /// Ends all work, keeping the leases until it has ended, and gives them back.
  private func leave() async {
    held.stop()
    let renewing = Task {
      while !Task.isCancelled {
        // A cancelled sleep is the end.
        guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
        await self.renew()
      }
    }
    for task in running.values { task.cancel() }
    for task in running.values { await task.value }
    await settled()
    renewing.cancel()
    await renewing.value
    running = [:]
    for partition in shared.indices { held.end(partition) }
    // A server that is away would keep the stop up.
    guard lastError.isEmpty else { return Log.warning("leases run out by themselves", ["reason": "\(lastError)"]) }
    do {
      try await store.leave(instance, (shared + single).map(\.key))
    } catch {
      Log.warning("leases run out by themselves", ["reason": LogValue(error)])
    }
  }

  /// Without taking any.
  private func renew() async {
    rounds += 1
    let (number, start) = (rounds, now())
    do {
      let round = try await store.renew(instance, for: Self.duration)
      let (keys, end) = (current(round.held, number), start + Self.duration.nanoseconds)
      for (partition, duty) in shared.enumerated() where keys.contains(duty.key) { held.hold(partition, until: end) }
      for duty in single where keys.contains(duty.key) { duty.hold(end) }
    } catch {
      Log.debug("leases can't be renewed", ["reason": LogValue(error)])
    }
  }
}
