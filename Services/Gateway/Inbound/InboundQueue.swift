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
  let held: HeldPartitions
  private let byService: [ConnectorService: Destination]

  /// - Parameters:
  ///   - held: which partitions may be delivered from now.
  ///   - executor: says where a dispatcher's work runs.
  init(
    store: JournalStore, policy: DeliveryPolicy = .incoming, held: HeldPartitions = .all,
    executor: @escaping @Sendable () -> (any TaskExecutor)? = { nil }, consume: @escaping Consume
  ) {
    self.store = store
    self.held = held
    let (partitions, whole) = (store.partitions, DispatchMachine.Limits())
    let limits = whole.shared(among: partitions.count)
    byService = Dictionary(
      uniqueKeysWithValues: ConnectorService.allCases.map { service in
        // A dispatcher alone limits itself.
        let turns =
          partitions.count == 1 ? nil : SendLimiter(SendLimits(concurrency: whole.inFlight, rate: nil))
        let destination = Destination(service.rawValue, partitions: partitions) { partition in
          Dispatcher(
            destination: service.rawValue, partition: partition, store: store, policy: policy, limits: limits,
            turns: turns, executor: executor()
          ) { message in
            if let reason = held.heldBack(partition) { return .held(reason) }
            return await Self.deliver(message, to: service, consume)
          }
        }
        return (service, destination)
      })
  }

  var destinations: [Destination] { Array(byService.values) }

  /// Makes a message durable and lets it go its way.
  ///
  /// - Throws: `StorageError`.
  func accept(_ message: IncomingMessage) async throws -> Receipt {
    // Where the connection is lost while the server commits, it may be durable all the same: who holds the partition sees that
    // its number has gone on.
    let receipt = try await store.receive(message, at: .now)
    guard receipt.status == .pending, let dispatcher = dispatcher(of: message, receipt.id) else { return receipt }
    if receipt.isTakenUp, store.partitions.count == 1 {
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
    guard receipt.status == .pending, let dispatcher = dispatcher(of: message, receipt.id) else { return receipt }
    if !held.isHeld(dispatcher.partition) { return await outcomeElsewhere(of: receipt.id) }
    return await dispatcher.outcome(of: receipt.id)
  }

  private func dispatcher(of message: IncomingMessage, _ id: Int64) -> Dispatcher? {
    ConnectorService(rawValue: message.destination).flatMap { byService[$0]?[store.partition(of: id)] }
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
