import EventLoop
import Storage

/// Says whether a store on a server can be worked with, by what a ``ServerWatch`` finds.
///
/// When the server is there again, connections of before may still wait for it, for seconds, and so would the calls that need them: the
/// process serves when they have got through.
final class StoreReadiness: Sendable {
  private struct Recovery {
    /// Of the last change.
    var number = 0
    var task: Task<Void, Never>?
  }

  private let database: Database
  private let readiness: Readiness
  private let recovery = Lock(Recovery())

  /// Between two attempts to get through.
  private static let pause = Duration.milliseconds(100)

  init(_ database: Database, _ readiness: Readiness) { (self.database, self.readiness) = (database, readiness) }

  /// - Parameter problem: why the server is away; nil when it is there again.
  func changed(_ problem: StorageError?) {
    recovery.withLock { recovery in
      recovery.task?.cancel()
      recovery.number += 1
      guard let problem else {
        let number = recovery.number
        recovery.task = Task { await self.recover(number) }
        return
      }
      recovery.task = nil
      readiness.setCutOff(true)
      Log.warning("the store's server is away: not serving", ["reason": LogValue(problem)])
    }
  }

  /// Nobody is told any more.
  func stop() {
    recovery.withLock { recovery in
      recovery.task?.cancel()
      recovery.number += 1
    }
  }

  /// Tries until it has got through, or something has changed again: until then nobody would serve anyway.
  private func recover(_ number: Int) async {
    var said = ""
    while !Task.isCancelled {
      do {
        try await database.getThrough()
        break
      } catch {
        let reason = "\(error)"
        if reason != said, !Task.isCancelled {
          Log.warning(
            "the store's server is there again, but not for this process: not serving", ["reason": LogValue(error)])
          said = reason
        }
        // Only a cancelled task does not wait, and that ends here.
        try? await Task.sleep(for: Self.pause)
      }
    }
    recovery.withLock { recovery in
      guard recovery.number == number else { return }
      readiness.setCutOff(false)
      Log.info("the store's server is there again: serving")
    }
  }
}
