import Messages
import Stubs

/// What the services' outboxes hold, for whoever asks all the time. It only looks, each gateway for itself.
actor OutboxWatch {
  /// Between two looks.
  static let interval = Duration.seconds(5)

  private let look: @Sendable () async -> [Omsconnector.V1.ServiceOutbox]
  /// As they were last seen; those that did not answer then are not there.
  private(set) var last: [Omsconnector.V1.ServiceOutbox] = []

  init(look: @escaping @Sendable () async -> [Omsconnector.V1.ServiceOutbox]) { self.look = look }

  /// Looks until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      last = await look().filter(\.error.isEmpty)
      do {
        try await Task.sleep(for: Self.interval)
      } catch {
        return
      }
    }
  }
}
