import Messages
import RPC
import ServiceKit
import Storage

/// The OMS's messages on their way to the services: durable first, then each to its service, in order per key.
struct InboundQueue: Sendable {
  /// Hands a message to a service and returns when its effect is durable.
  typealias Consume =
    @Sendable (ConnectorService, Omsconnector.Internal.V1.ConsumeRequest, TraceContext) async throws
    -> Omsconnector.Internal.V1.ConsumeResponse

  let store: JournalStore
  private let unknown = UnknownCommits()
  private let byService: [ConnectorService: Dispatcher]

  /// - Parameter heldBack: why nothing may be delivered now; nil when something may.
  init(
    store: JournalStore, policy: DeliveryPolicy = .incoming, heldBack: @escaping @Sendable () -> String? = { nil },
    consume: @escaping Consume
  ) {
    self.store = store
    byService = Dictionary(
      uniqueKeysWithValues: ConnectorService.allCases.map { service in
        let dispatcher = Dispatcher(destination: service.rawValue, store: store, policy: policy) { message in
          if let reason = heldBack() { return .held(reason) }
          return await Self.deliver(message, to: service, consume)
        }
        return (service, dispatcher)
      })
  }

  var dispatchers: [Dispatcher] { Array(byService.values) }

  /// Makes a message durable and lets it go its way.
  ///
  /// - Throws: `StorageError`.
  func accept(_ message: IncomingMessage) async throws -> Receipt {
    let dispatcher = dispatcher(of: message)
    let receipt: Receipt
    do {
      receipt = try await store.receive(message, at: .now)
    } catch let error as StorageError where error.kind == .outcomeUnknown {
      // It may be durable, and nobody else would tell the dispatcher.
      unknown.note()
      dispatcher?.wakeSoon()
      throw error
    }
    guard receipt.status == .pending, let dispatcher else { return receipt }
    if receipt.isTakenUp || receipt.isDuplicate && unknown.exist {
      // The dispatcher may have gone past it.
      try await dispatcher.find(receipt.id, key: message.key)
    } else {
      dispatcher.wakeSoon()
    }
    return receipt
  }

  /// Waits for a message that was accepted.
  ///
  /// - Returns: what has become of it; nil when the gateway stops, or the task is cancelled.
  func outcome(of receipt: Receipt, _ message: IncomingMessage) async -> Receipt? {
    guard receipt.status == .pending else { return receipt }
    return await dispatcher(of: message)?.outcome(of: receipt.id)
  }

  private func dispatcher(of message: IncomingMessage) -> Dispatcher? {
    ConnectorService(rawValue: message.destination).flatMap { byService[$0] }
  }

  private static func deliver(
    _ message: PendingMessage, to service: ConnectorService, _ consume: Consume
  ) async -> DeliveryOutcome {
    let request: JSONRPCRequest
    do {
      request = try JSONRPCRequest(parsing: message.body)
    } catch {
      // It was read when it came in: the store has been tampered with.
      return .refused("the journal's copy can't be read: \(error)")
    }
    var received = ReceivedTrace()
    received.receive(traceparent: message.traceparent)
    do {
      let response = try await consume(
        service,
        .init(
          deliveryId: message.consumedID, method: message.method, key: message.key,
          body: request.params?.bytes ?? [], replay: UInt32(clamping: message.replayCount)),
        received.context())
      return .delivered(result: response.result)
    } catch {
      return ConsumeFailure(error, service: service).outcome
    }
  }
}
