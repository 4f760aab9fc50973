/// Spaces requests evenly: so many a second.
actor RequestPace {
  private let interval: Duration
  private var next = ContinuousClock.now

  /// - Parameter perSecond: 1 or more.
  init(perSecond: Int) { interval = .seconds(1) / max(perSecond, 1) }

  /// Waits for the caller's turn.
  ///
  /// - Throws: `CancellationError`; the turn is lost then.
  func turn() async throws {
    let now = ContinuousClock.now
    let mine = max(next, now)
    next = mine + interval
    if mine > now { try await Task.sleep(until: mine, clock: .continuous) }
  }
}
