import EventLoop
import Glibc
import Storage

/// How an attempt at a key of a ``WorkQueue`` ended.
public enum WorkOutcome: Sendable, Equatable {
  case done
  /// Not yet: it waits for something that comes by itself.
  case again(after: Duration, reason: String)
  /// It failed, or nobody knows yet: it is looked at again, and gets older meanwhile (``WorkItem/addedAt``).
  case unsettled(after: Duration, reason: String)
  /// It can't be done until somebody does something.
  case parked(reason: String)
}

/// Works on the keys of a queue while the service runs, several at a time, each by one replica at a time.
public final class WorkRunner: Sendable {
  public struct Options: Sendable {
    /// Keys that are worked on at a time.
    public var concurrency = 4
    /// How long a dead replica's keys wait for another one. A live one prolongs three times in that time.
    public var hold: Duration = .seconds(30)
    /// Between two looks at the queue when nobody says that there is something; other replicas add keys too.
    public var interval: Duration = .seconds(1)
    /// Before what threw is tried again; twice as long each time.
    public var firstPause: Duration = .seconds(1)
    public var longestPause: Duration = .seconds(300)
    /// What still throws after that is parked, as is what has lasted this long without a parting word.
    public var giveUpAfter: Duration = .seconds(48 * 3600)

    public init() {}
  }

  public typealias Handler = @Sendable (_ item: WorkItem) async throws -> WorkOutcome

  private let queue: WorkQueue
  private let database: Database
  private let loop: EventLoop
  private let options: Options
  private let handler: Handler
  private let holder = "\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 36))"
  private let alarm = Alarm()
  private let busy = Lock(0)

  /// - Parameter handler: does what the key stands for. It may be called again for what it has done already: after a crash, and
  ///   when its end could not be noted.
  public init(
    _ queue: WorkQueue, in database: Database, loop: EventLoop, options: Options = Options(),
    handler: @escaping Handler
  ) {
    self.queue = queue
    self.database = database
    self.loop = loop
    self.options = options
    self.handler = handler
  }

  /// Adds the work to what goes on while the service runs.
  public func run(in setup: inout ServiceSetup) { setup.run("work: \(queue.kind)") { await self.run() } }

  /// Says that keys were added, after they have committed. They are taken at once; without it, within a second.
  public func wake() { alarm.set() }

  /// Works until the task is cancelled; what is under way then ends by itself. To be called once.
  public func run() async {
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        for item in await claim() {
          busy.withLock { $0 += 1 }
          group.addTask { [self] in
            await work(on: item)
            busy.withLock { $0 -= 1 }
            alarm.set()
          }
        }
        await alarm.wait(until: EventLoop.monotonicNanoseconds() + options.interval.nanoseconds, on: loop)
      }
    }
  }

  private func claim() async -> [WorkItem] {
    let free = options.concurrency - busy.withLock { $0 }
    guard free > 0 else { return [] }
    let (queue, holder, hold) = (queue, holder, options.hold)
    do {
      // Most of the time there is nothing, which a look tells without a commit.
      let isDue = try await database.read { connection in
        guard let next = try queue.nextDue(connection) else { return false }
        return try next <= connection.now() + 1_000_000_000
      }
      guard isDue else { return [] }
      return try await database.write(weight: free) {
        try queue.claim($0, limit: free, holder: holder, for: hold)
      }
    } catch {
      Log.warning("work can't be taken from the store", ["kind": "\(self.queue.kind)", "reason": LogValue(error)])
      return []
    }
  }

  private func work(on item: WorkItem) async {
    let prolonging = Task(executorPreference: loop) { await self.prolong(item) }
    defer { prolonging.cancel() }
    let outcome: WorkOutcome
    var hasFailed = false
    do {
      outcome = try await handler(item)
    } catch is CancellationError {
      outcome = .again(after: .zero, reason: "the service stopped")
    } catch {
      outcome = afterThrowing(error, item)
      hasFailed = true
    }
    await note(outcome, item, hasFailed: hasFailed)
  }

  /// What may pass is tried for long enough to outlast a shop that is away over a weekend.
  private func afterThrowing(_ error: any Error, _ item: WorkItem) -> WorkOutcome {
    let age = Duration.nanoseconds(max(0, WallClock.nanoseconds() - item.addedAt))
    if age > options.giveUpAfter { return .parked(reason: "given up after \(item.attempts + 1) attempts: \(error)") }
    let doubled = options.firstPause * Double(UInt64(1) << UInt64(min(item.attempts, 20)))
    let pause = min(doubled, options.longestPause) * Double.random(in: 0.8...1.2)
    Log.warning(
      "work is tried again",
      [
        "kind": "\(self.queue.kind)", "key": "\(quotable(item.key))", "attempt": LogValue(item.attempts + 1),
        "reason": LogValue(error),
      ])
    return .again(after: pause, reason: "\(error)")
  }

  /// Until the task is cancelled. Of a key that another replica has taken nothing more is noted here.
  private func prolong(_ item: WorkItem) async {
    let (queue, hold) = (queue, options.hold)
    while !Task.isCancelled {
      await loop.sleep(for: hold / 3)
      if Task.isCancelled { return }
      do {
        if try await !database.write({ try queue.prolong($0, item, for: hold) }) {
          Log.warning(
            "work was taken over by another replica", ["kind": "\(queue.kind)", "key": "\(quotable(item.key))"])
          return
        }
      } catch {
        Log.warning("the time for work can't be prolonged", ["kind": "\(queue.kind)", "reason": LogValue(error)])
      }
    }
  }

  /// What can't be noted is done again when the holder's time is over.
  private func note(_ outcome: WorkOutcome, _ item: WorkItem, hasFailed: Bool) async {
    let queue = queue
    do {
      try await database.write { connection in
        switch outcome {
        case .done: try queue.finish(connection, item)
        case .again(let after, let reason):
          try queue.retry(connection, item, after: after, reason: reason, isFailure: hasFailed)
        case .unsettled(let after, let reason): try queue.retry(connection, item, after: after, reason: reason)
        case .parked(let reason): try queue.park(connection, item, reason: reason)
        }
      }
      if case .parked(let reason) = outcome {
        Log.error(
          "work needs an operator",
          ["kind": "\(queue.kind)", "key": "\(quotable(item.key))", "reason": "\(reason)"])
      }
    } catch {
      Log.warning("the end of work can't be noted", ["kind": "\(queue.kind)", "reason": LogValue(error)])
    }
  }
}
