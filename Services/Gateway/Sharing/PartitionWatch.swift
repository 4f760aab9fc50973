import ServiceKit
import Storage

/// Looks for what has come into this gateway's partitions through other gateways: new messages, and what operators do there. On
/// SQLite there is nothing to look for.
actor PartitionWatch {
  /// Between two looks.
  static let interval = Duration.milliseconds(100)
  /// As long as no other gateway is there.
  static let intervalAlone = Duration.seconds(1)
  /// Tasks at a time.
  private static let page = 256

  private let store: JournalStore
  private let looking: JournalStore
  private let held: HeldPartitions
  private let destinations: [String: Destination]
  private let isAlone: @Sendable () async -> Bool
  private let (signals, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
  /// By partition; nothing for one from which nothing may be delivered now.
  private var seen: [Int: JournalStore.PartitionState] = [:]
  /// Partitions with tasks that are not done.
  private var unfinished: Set<Int> = []
  /// Those of them that wait for room at a dispatcher.
  private var waiting: Set<Int> = []
  private var lastError = ""

  /// - Parameters:
  ///   - looking: the same journal, over connections that don't wait for a server that is away.
  ///   - isAlone: whether no other gateway is there.
  init(
    store: JournalStore, looking: JournalStore? = nil, held: HeldPartitions, _ destinations: [Destination],
    isAlone: @escaping @Sendable () async -> Bool = { true }
  ) {
    self.store = store
    self.looking = looking ?? store
    self.held = held
    self.destinations = Dictionary(uniqueKeysWithValues: destinations.map { ($0.name, $0) })
    self.isAlone = isAlone
  }

  /// Looks until the task is cancelled.
  func run() async {
    guard store.partitions.count > 1 else { return await untilCancelled() }
    let timer = Task {
      while !Task.isCancelled {
        let pause = await isAlone() ? Self.intervalAlone : Self.interval
        // A cancelled sleep is the end.
        guard (try? await Task.sleep(for: pause)) != nil else { return }
        signal.yield()
      }
    }
    for await _ in signals { await look() }
    timer.cancel()
  }

  /// There is something to look for.
  nonisolated func nudge() { signal.yield() }

  func look() async {
    do {
      for state in try await looking.partitionStates() { try await look(at: state) }
      lastError = ""
    } catch {
      let text = "\(error)"
      if text != lastError { Log.error("what other gateways do can't be seen", ["reason": LogValue(error)]) }
      lastError = text
    }
  }

  private func look(at state: JournalStore.PartitionState) async throws {
    let partition = state.partition
    guard store.partitions.contains(partition), held.heldBack(partition) == nil else {
      seen[partition] = nil
      return
    }
    let before = seen[partition]
    if before?.number != state.number {
      for destination in destinations.values { destination[partition].wakeSoon() }
    }
    if before?.changes != state.changes || unfinished.contains(partition) {
      unfinished.insert(partition)
      if try await doTasks(partition) { unfinished.remove(partition) }
    }
    seen[partition] = state
  }

  /// - Returns: false when some are left.
  private func doTasks(_ partition: Int) async throws -> Bool {
    while true {
      let tasks = try await store.tasks(partition, limit: Self.page)
      var done: [HolderTask] = []
      for task in tasks {
        guard try await perform(task, partition) else { break }
        done.append(task)
      }
      try await store.endTasks(done)
      if done.count < tasks.count { return false }
      if tasks.count < Self.page { return true }
    }
  }

  /// Looks again when a dispatcher has room.
  private func wait(for dispatcher: Dispatcher) {
    guard waiting.insert(dispatcher.partition).inserted else { return }
    Task {
      await dispatcher.untilRoom()
      waiting.remove(dispatcher.partition)
      nudge()
    }
  }

  /// - Returns: false when there is no room for it, or nobody to do it.
  private func perform(_ task: HolderTask, _ partition: Int) async throws -> Bool {
    guard task.isPending else { return true }
    let dispatcher = destinations[task.destination]?[partition]
    switch task.kind {
    case .again:
      guard let dispatcher else { return true }
      // Who delivers from the partition next does it: this one has ended, or has not begun.
      guard await dispatcher.isRunning else { return false }
      if await dispatcher.requeue(task.id, key: task.key) { return true }
      wait(for: dispatcher)
      return false
    case .discard:
      let store = store
      let body: @Sendable () async throws -> Void = {
        _ = try await store.discard([task.id], reason: task.reason, by: task.handler, at: .now)
      }
      // Of one that is being delivered right now nothing can be taken back: who asked sees that it is still there.
      if let dispatcher { _ = try await dispatcher.withholding(task.id, key: task.key, body) } else { try await body() }
      return true
    }
  }
}
