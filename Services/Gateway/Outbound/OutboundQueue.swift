import ServiceKit

/// The messages for the OMS on their way: durable first, then each to the bus, in order per key and route.
struct OutboundQueue: Sendable {
  let store: JournalStore
  private let byRoute: [BusRoute: Dispatcher]

  /// - Parameter deliver: tries a message once.
  init(
    store: JournalStore, policy: DeliveryPolicy = .outgoing,
    deliver: @escaping @Sendable (PendingMessage, BusRoute) async -> DeliveryOutcome
  ) {
    self.store = store
    byRoute = Dictionary(
      uniqueKeysWithValues: BusRoute.allCases.map { route in
        let dispatcher = Dispatcher(destination: route.rawValue, store: store, policy: policy) { message in
          await deliver(message, route)
        }
        return (route, dispatcher)
      })
  }

  var dispatchers: [Dispatcher] { Array(byRoute.values) }

  /// Makes a message durable and lets it go its way. The same message again changes nothing.
  ///
  /// - Throws: `StorageError`.
  func enqueue(_ message: OutgoingMessage, at now: WallTime) async throws -> Enqueued {
    let enqueued = try await store.enqueue(message, at: now)
    if case .new = enqueued, let route = BusRoute(rawValue: message.destination) { await byRoute[route]?.wake() }
    return enqueued
  }
}
