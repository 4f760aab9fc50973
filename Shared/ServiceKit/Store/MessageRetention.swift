import EventLoop
import Storage

/// Removes what stores keep of old messages: notes of the inbox once nobody can send their messages again, and what was put
/// aside from the outbox.
public struct MessageRetention: Sendable {
  /// Removes some of the oldest, at most ``Inbox/removalLimit`` rows, and answers how many.
  public typealias Removal = @Sendable (_ connection: Connection, _ now: Int64) throws -> Int

  /// Between two rounds.
  static let interval = Duration.seconds(3_600)
  /// Between two transactions of a round, for the writers.
  static let pause = Duration.milliseconds(20)

  private let database: Database
  private let loop: EventLoop
  private let removals: [Removal]

  /// - Parameter removals: of the tables that the store has.
  public init(_ database: Database, loop: EventLoop, of removals: [Removal]) {
    self.database = database
    self.loop = loop
    self.removals = removals
  }

  /// Adds the work to what goes on while the service runs.
  public func run(in setup: inout ServiceSetup) {
    setup.run("retention of messages") {
      var clock = ConfirmedClock()
      while !Task.isCancelled {
        // By a clock that has leapt, everything is old.
        let reading = clock.read()
        if reading.isConfirmed { await round(now: reading.time) }
        // Replicas share the work rather than doing it all at the same time.
        await loop.sleep(for: Self.interval * Double.random(in: 0.5...1.5))
      }
    }
  }

  /// Nothing waits for it: what fails is tried again in the next round.
  ///
  /// - Parameter now: nanoseconds since 1970.
  func round(now: Int64) async {
    do {
      for removal in removals {
        while !Task.isCancelled, try await leavesSome(removal, now) { await loop.sleep(for: Self.pause) }
      }
    } catch {
      Log.warning("old messages stay in the store", ["reason": LogValue(error)])
    }
  }

  /// - Returns: whether there may be more to remove.
  private func leavesSome(_ removal: @escaping Removal, _ now: Int64) async throws -> Bool {
    try await database.write(weight: Inbox.removalLimit) { try removal($0, now) } >= Inbox.removalLimit
  }
}
