import ServiceKit
import Storage

/// The messages for the OMS on their way: durable first, then each to the bus, in order per key and route. One that is given up
/// makes another that tells of it.
struct OutboundQueue: Sendable {
  let store: JournalStore
  /// Why nothing goes to the OMS by somebody's will; nil when something does.
  var heldBack: @Sendable () async -> String? = { nil }
  private let byRoute: [BusRoute: Destination]

  /// - Parameters:
  ///   - concurrency: of each route.
  ///   - held: which partitions may be delivered from now.
  ///   - turns: what all routes share.
  ///   - executor: says where a route's work runs.
  ///   - deliver: tries a message once.
  init(
    store: JournalStore, policy: DeliveryPolicy = .outgoing, concurrency: Int = 16, held: HeldPartitions = .all,
    turns: (any DeliveryTurns)? = nil, now: @escaping @Sendable () -> WallTime = { .now },
    stopGrace: Duration = Gateway.stopGrace, executor: @escaping @Sendable () -> (any TaskExecutor)? = { nil },
    deliver: @escaping @Sendable (PendingMessage, BusRoute) async -> DeliveryOutcome
  ) {
    self.store = store
    var limits = DispatchMachine.Limits()
    limits.inFlight = concurrency
    limits = limits.shared(among: store.partitions.count)
    let destination = { [limits] (route: BusRoute, committed: @escaping @Sendable (Int) async -> Void) in
      Destination(route.rawValue, partitions: store.partitions) { partition in
        Dispatcher(
          destination: route.rawValue, partition: partition, store: store, policy: policy, limits: limits, now: now,
          turns: turns, notice: DeliveryNotice(make: ErrorNotice.of) { await committed(partition) },
          stopGrace: stopGrace, executor: executor()
        ) { message in
          if let reason = held.heldBack(partition) { return .held(reason) }
          return await deliver(message, route)
        }
      }
    }
    // Notices go the way of ErrorNotice.route, whose own dispatcher looks for them itself, in the partition of their message.
    let notices = destination(ErrorNotice.route) { _ in }
    var byRoute = [ErrorNotice.route: notices]
    for route in BusRoute.allCases where route != ErrorNotice.route {
      byRoute[route] = destination(route) { await notices[$0].wake() }
    }
    self.byRoute = byRoute
  }

  var destinations: [Destination] { BusRoute.allCases.compactMap { byRoute[$0] } }

  /// Makes a message durable and lets it go its way. The same message again changes nothing.
  ///
  /// - Throws: `StorageError`.
  func enqueue(_ message: OutgoingMessage, at now: WallTime) async throws -> Enqueued {
    // Where the connection is lost while the server commits, it may be durable all the same: who holds the partition sees that
    // its number has gone on.
    let enqueued = try await store.enqueue(message, at: now)
    switch enqueued {
    // Whoever asks again got no answer, and the dispatcher may have been told nothing.
    case .new(let id), .known(let id):
      await BusRoute(rawValue: message.destination).flatMap { byRoute[$0] }?[store.partition(of: id)].wake()
    case .differs: break
    }
    return enqueued
  }
}
