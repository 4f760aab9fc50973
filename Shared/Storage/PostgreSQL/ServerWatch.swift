import EventLoop

/// Asks the server of a store again and again whether it is there, over a connection of its own: those of a ``Database`` have to
/// wait, for long statements and for a server that says nothing, and could only tell when it is too late.
///
/// A server that answers at all is there, whatever it answers.
public final class ServerWatch: Sendable {
  /// What is known of the server: nil while it is there, else why it is not.
  public typealias Change = @Sendable (_ problem: StorageError?) -> Void

  /// From an answer to the next question.
  public static let interval = Duration.milliseconds(500)
  /// How long an answer may take.
  public static let patience = Duration.seconds(2)

  private let isStopped = Monitor(false)

  private init() {}

  /// Begins to ask, on a thread of its own.
  ///
  /// - Parameters:
  ///   - service: whose store it is, for administrators of the server.
  ///   - changed: told on that thread whenever the server is there no more, or again. Until then it is.
  /// - Returns: nil for SQLite, whose stores have no server.
  public static func start(
    of service: String, at location: StoreLocation, interval: Duration = ServerWatch.interval,
    patience: Duration = ServerWatch.patience, changed: @escaping Change
  ) throws(StorageError) -> ServerWatch? {
    guard case .postgresql(let url) = location else { return nil }
    let watch = ServerWatch()
    let schema = StoreLocation.schema(of: service)
    do throws(SystemError) {
      try spawnThread(named: "store-watch") {
        watch.run(WatchedServer(url: url, schema: schema, patience: patience), interval, changed)
      }
    } catch {
      throw StorageError(.other, "thread store-watch: \(error)", remedy: "raise the limit of threads (ulimit -u)")
    }
    return watch
  }

  /// Asks no more. Does not wait for an answer that is under way, of which nobody is told.
  public func stop() {
    isStopped.withLock { $0 = true }
    isStopped.broadcast()
  }

  private func run(_ watched: WatchedServer, _ interval: Duration, _ changed: Change) {
    var server = watched
    var isThere = true
    while !isStopped.withLock({ $0 }) {
      let problem = server.problem()
      if (problem == nil) != isThere, !isStopped.withLock({ $0 }) {
        isThere = problem == nil
        changed(problem)
      }
      isStopped.wait(nanoseconds: interval.nanoseconds) { $0 }
    }
  }
}

/// A server and the connection over which it is asked.
private struct WatchedServer {
  let url: PostgreSQLURL
  let schema: String
  let patience: Duration
  private var session: PostgreSQLSession?

  init(url: PostgreSQLURL, schema: String, patience: Duration) {
    self.url = url
    self.schema = schema
    self.patience = patience
  }

  /// - Returns: why it is not there.
  mutating func problem() -> StorageError? {
    let start = EventLoop.monotonicNanoseconds()
    let wasOpen = session != nil
    guard var problem = failure() else { return nil }
    // Whoever ended the connection may have meant no more than that; a server that is silent is not asked a second time.
    if wasOpen, EventLoop.monotonicNanoseconds() - start < patience.nanoseconds {
      guard let second = failure() else { return nil }
      problem = second
    }
    // Full of other connections, among them perhaps those of this process, which go on.
    let isFull = problem.sqlState == "53300"
    return problem.kind == .unavailable && !isFull ? problem : nil
  }

  private mutating func failure() -> StorageError? {
    do throws(StorageError) {
      let open: PostgreSQLSession
      if let session {
        open = session
      } else {
        open = try PostgreSQLSession(
          url, store: "\(url.description), schema \(schema)", application: schema, options: DatabaseOptions())
      }
      session = open
      try open.simple("SELECT 1", nanoseconds: patience.nanoseconds)
      return nil
    } catch {
      session = nil
      return error
    }
  }
}
