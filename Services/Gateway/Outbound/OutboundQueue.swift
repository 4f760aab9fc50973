import ServiceKit
import Storage

/// The messages for the OMS on their way: durable first, then each to the bus, in order per key and route. One that is given up
/// makes another that tells of it.
struct OutboundQueue: Sendable {
  let store: JournalStore
  /// Why nothing goes to the OMS by somebody's will; nil when something does.
  var heldBack: @Sendable () async -> String? = { nil }
  private let unknown = UnknownCommits()
  private let byRoute: [BusRoute: Dispatcher]

  /// - Parameters:
  ///   - concurrency: of each route.
  ///   - turns: what all routes share.
  ///   - deliver: tries a message once.
  init(
    store: JournalStore, policy: DeliveryPolicy = .outgoing, concurrency: Int = 16,
    turns: (any DeliveryTurns)? = nil, now: @escaping @Sendable () -> WallTime = { .now },
    stopGrace: Duration = Gateway.stopGrace,
    deliver: @escaping @Sendable (PendingMessage, BusRoute) async -> DeliveryOutcome
  ) {
    self.store = store
    var limits = DispatchMachine.Limits()
    limits.inFlight = concurrency
    let dispatcher = { [limits] (route: BusRoute, committed: @escaping @Sendable () async -> Void) in
      Dispatcher(
        destination: route.rawValue, store: store, policy: policy, limits: limits, now: now, turns: turns,
        notice: DeliveryNotice(make: ErrorNotice.of, committed: committed), stopGrace: stopGrace
      ) { await deliver($0, route) }
    }
    // Notices go the way of ErrorNotice.route, whose own dispatcher looks for them itself.
    let notices = dispatcher(ErrorNotice.route) {}
    var byRoute = [ErrorNotice.route: notices]
    for route in BusRoute.allCases where route != ErrorNotice.route {
      byRoute[route] = dispatcher(route) { await notices.wake() }
    }
    self.byRoute = byRoute
  }

  var dispatchers: [Dispatcher] { BusRoute.allCases.compactMap { byRoute[$0] } }

  /// Makes a message durable and lets it go its way. The same message again changes nothing.
  ///
  /// - Throws: `StorageError`.
  func enqueue(_ message: OutgoingMessage, at now: WallTime) async throws -> Enqueued {
    let dispatcher = BusRoute(rawValue: message.destination).flatMap { byRoute[$0] }
    let enqueued: Enqueued
    do {
      enqueued = try await store.enqueue(message, at: now)
    } catch let error as StorageError where error.kind == .outcomeUnknown {
      // It may be durable, and nobody else would tell the dispatcher.
      unknown.note()
      dispatcher?.wakeSoon()
      throw error
    }
    switch enqueued {
    // The dispatcher may have gone past it.
    case .known(let id) where unknown.exist: try await dispatcher?.find(id, key: message.key)
    // Whoever asks again got no answer, and the dispatcher may have been told nothing.
    case .new, .known: await dispatcher?.wake()
    case .differs: break
    }
    return enqueued
  }
}
