import EventLoop
import Storage

/// Removes notes from an inbox once nobody can send their messages again.
public struct InboxRetention: Sendable {
  /// Between two rounds.
  static let interval = Duration.seconds(3_600)
  /// Between two transactions of a round, for the writers.
  static let pause = Duration.milliseconds(20)

  private let database: Database
  private let loop: EventLoop

  /// - Parameter database: with ``Inbox/migration`` in its schema.
  public init(_ database: Database, loop: EventLoop) {
    self.database = database
    self.loop = loop
  }

  /// Adds the work to what goes on while the service runs.
  public func run(in setup: inout ServiceSetup) {
    let (database, loop) = (database, loop)
    setup.run("inbox retention") {
      while !Task.isCancelled {
        await Self.round(database, loop)
        // Replicas share the work rather than doing it all at the same time.
        await loop.sleep(for: Self.interval * Double.random(in: 0.5...1.5))
      }
    }
  }

  /// Nothing waits for it: what fails is tried again in the next round.
  static func round(_ database: Database, _ loop: EventLoop) async {
    do {
      while !Task.isCancelled {
        let removed = try await database.write(weight: Inbox.removalLimit) { try Inbox.removeOld($0) }
        if removed < Inbox.removalLimit { return }
        await loop.sleep(for: pause)
      }
    } catch {
      Log.warning("old notes stay in the inbox", ["reason": LogValue(error)])
    }
  }
}
