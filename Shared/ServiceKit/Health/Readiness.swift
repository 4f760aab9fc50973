import EventLoop

/// Whether the process can do its work, for whom it serves: known before there is a ``HealthService`` to say it, and changed from
/// any thread.
final class Readiness: Sendable {
  private struct State {
    var isCutOff = false
    var health: HealthService?
  }

  private let state = Lock(State())

  /// Something that all of its services need is away, or there again.
  func setCutOff(_ isCutOff: Bool) {
    state.withLock { state in
      state.isCutOff = isCutOff
      state.health?.setCutOff(isCutOff)
    }
  }

  /// Lets `health` say it from now on.
  func tell(_ health: HealthService) {
    state.withLock { state in
      state.health = health
      health.setCutOff(state.isCutOff)
    }
  }
}
