import Commerce
import EventLoop
import ServiceKit
import Storage

/// Carries runs out, one at a time among all replicas: those that are asked for, and reconciliations when they are due. What a
/// crash has left is gone on with.
final class CatalogRuns: Sendable {
  static let reconciliationInterval = Setting.duration(
    "CATALOG_RECONCILIATION_INTERVAL", .seconds(1) ... .seconds(30 * 86_400),
    "how often the whole catalog of the shop is compared with what the OMS was told", default: "24h")

  /// Of the lease, and how long a run that can't go on waits before it tries again.
  private static let key = "catalog run"
  private static let pauses = (first: Duration.seconds(1), longest: Duration.seconds(60))
  private static let look = Duration.seconds(1)

  let store: RunStore
  private let intake: ShopIntake
  private let loop: EventLoop
  private let interval: Duration
  private let holder = String(UInt64.random(in: .min ... .max), radix: 36)
  private let alarm = Alarm()

  init(_ intake: ShopIntake, loop: EventLoop, reconciling interval: Duration) {
    store = RunStore(database: intake.store.database)
    self.intake = intake
    self.loop = loop
    self.interval = interval
  }

  /// Joins the full export that runs, or starts one.
  func startFull() async throws -> CatalogRun {
    let run = try await store.startFull()
    alarm.set()
    return run
  }

  /// Works until the task is cancelled. To be called once.
  func run() async {
    var pause = Self.pauses.first
    while !Task.isCancelled {
      var wait = Self.look
      do {
        if try await step() { continue }
        pause = Self.pauses.first
      } catch is CancellationError {
        return
      } catch {
        wait = pause
        pause = min(pause * 2, Self.pauses.longest)
      }
      await alarm.wait(until: EventLoop.monotonicNanoseconds() + wait.nanoseconds, on: loop)
    }
  }

  /// - Returns: whether a run has ended; false when there is none, or another replica is at it.
  func step() async throws -> Bool {
    _ = try await store.startReconciliation(every: interval)
    guard let run = try await store.current() else { return false }
    let done: Void? = try await Lease.held(
      Self.key, by: holder, for: CatalogReading.hold, in: store.database, on: loop
    ) { lease in
      // It may have ended between the two looks.
      guard let run = try await store.run(run.id), run.state == .running else { return }
      try await carryOut(run, lease)
    }
    return done != nil
  }

  private func carryOut(_ run: CatalogRun, _ lease: Lease) async throws {
    Log.info(
      run.read == 0 ? "the whole catalog is read" : "reading of the catalog goes on",
      ["run": LogValue(run.id), "kind": "\(run.kind)", "read": LogValue(run.read)])
    do {
      try await CatalogReading(run: run, lease: lease, runs: store, intake: intake, loop: loop)()
    } catch is RunReplaced {
      return
    } catch let error as CommerceError {
      Log.warning("reading of the catalog waits", ["run": LogValue(run.id), "reason": LogValue(error)])
      // Of a page that failed there is more already: which it is.
      if try await store.run(run.id)?.reason.hasSuffix("\(error)") != true {
        try await store.note(run.id, reason: "\(error)")
      }
      throw error
    } catch  where !(error is CancellationError) {
      Log.warning("reading of the catalog was broken off", ["run": LogValue(run.id), "reason": LogValue(error)])
      throw error
    }
    guard let done = try await store.run(run.id) else { return }
    Log.info(
      "the whole catalog was read",
      [
        "run": LogValue(run.id), "read": LogValue(done.read), "exported": LogValue(done.exported),
        "deactivated": LogValue(done.deactivated), "failed": LogValue(done.failed),
      ])
    if !done.reason.isEmpty {
      Log.error("the catalog needs an operator", ["run": LogValue(run.id), "reason": "\(done.reason)"])
    }
  }
}
