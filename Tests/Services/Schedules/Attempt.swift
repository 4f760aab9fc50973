import Messages
import RPC
import Storage
import TestSupport

@testable import Inventory
@testable import ServiceKit

/// One try of a step, and when it looked at the clock: the last look is the one of the transaction that was committed.
struct Attempt: Sendable {
  enum Ending: Sendable {
    /// A delivery's answer.
    case answered([UInt8])
    /// A delivery came to nothing, or to what another attempt tells.
    case lost
    /// What ending a NONZERO, or deciding, did; nil for nothing.
    case counted(StockRule.Counts?)
    /// Nothing to decide or to do.
    case nothing
    case failed(String)
  }

  var step: Step
  var ending: Ending
  var times: [Int64] = []
}

/// What replicas do.
struct StepRunner: Sendable {
  let fleet: Fleet
  let prefix: String
  var forgetsDeliveries = false

  /// Attempts of one delivery at most; only a replica that stops needs another one.
  private static let attempts = 5
  /// After which the gateway delivers again.
  private static let mayPass: Set<StorageError.Kind> = [.closed, .outcomeUnknown, .unavailable]
  private struct Died: Error {}

  func run(_ step: Step) async -> [Attempt] {
    do {
      switch step {
      case .deliver(let message, let replica): return try await deliver(message, step, replica)
      case .die(let message, let replica): return [try await die(message, step, replica)]
      case .restart(let replica): try await fleet.restart(replica)
      case .cut(let replica): try await fleet.cut(replica)
      case .pass: fleet.clock.advance(minutes: 16)
      case .close(let aggregate, let replica):
        let looks = Looks()
        let store = looks.store(fleet[replica], fleet.clock)
        let outcome = try await store.closeIdleRun(of: prefix + aggregate)
        return [Attempt(step: step, ending: .counted(outcome.map { .init($0) }), times: looks.all)]
      case .decide(let aggregate, let number, let apply, let replica):
        return [try await decide(aggregate, number, apply, step, replica)]
      case .reset(let aggregate, let sku, let replica):
        _ = try await StockStore(fleet[replica]).resetTimestamp(aggregateId: prefix + aggregate, sku: sku)
        return [Attempt(step: step, ending: .counted(nil), times: [fleet.clock.now()])]
      }
      return []
    } catch {
      return [Attempt(step: step, ending: .failed("\(error)"))]
    }
  }

  // MARK: Deliveries

  /// At least once, as the gateway does.
  private func deliver(_ message: StockMessage, _ step: Step, _ replica: Int) async throws -> [Attempt] {
    var attempts: [Attempt] = []
    for number in 0..<Self.attempts {
      let looks = Looks()
      do {
        let result = try await consume(message, replica + number, looks) { $0 }
        attempts.append(Attempt(step: step, ending: .answered(result), times: looks.isDone ? looks.all : []))
        if forgetsDeliveries { try await forget(message) }
        return attempts
      } catch let error as StorageError where Self.mayPass.contains(error.kind) {
        attempts.append(Attempt(step: step, ending: .lost, times: error.kind == .outcomeUnknown ? looks.all : []))
      }
    }
    throw StorageError(.unavailable, "\(Self.attempts) replicas did not take it")
  }

  private func die(_ message: StockMessage, _ step: Step, _ replica: Int) async throws -> Attempt {
    do {
      let result = try await consume(message, replica, Looks()) { effect in
        MessageEffect(
          weight: effect.weight, key: effect.key,
          apply: { connection in
            _ = try effect.apply(connection)
            throw Died()
          }, result: effect.result)
      }
      // It was taken before.
      return Attempt(step: step, ending: .answered(result))
    } catch is Died {
      return Attempt(step: step, ending: .lost)
    } catch let error as StorageError where Self.mayPass.contains(error.kind) {
      return Attempt(step: step, ending: .lost)
    }
  }

  private func consume(
    _ message: StockMessage, _ replica: Int, _ looks: Looks,
    _ change: @escaping @Sendable (MessageEffect<SnapshotOutcome>) -> MessageEffect<SnapshotOutcome>
  ) async throws -> [UInt8] {
    let fleet = fleet
    let store = looks.store(fleet[replica], fleet.clock)
    let method = ConsumedMethod(StockMessageConsumer.aggregateStockUpdated, in: store.database) { request, _ in
      let effect = change(try StockMessageConsumer.effect(of: request, on: store))
      return MessageEffect(
        weight: effect.weight, key: fleet.takesTurns ? effect.key : request.deliveryId, apply: effect.apply,
        result: effect.result, committed: { _ in looks.finish() })
    }
    return try await method.consume(request(message), .root())
  }

  func request(_ message: StockMessage) -> Omsconnector.Internal.V1.ConsumeRequest {
    .init(
      deliveryId: prefix + message.id, method: StockMessageConsumer.aggregateStockUpdated,
      key: prefix + message.aggregate, body: Array(message.body(prefix).utf8))
  }

  private func forget(_ message: StockMessage) async throws {
    let identity = StoredDeliveries.identity(request(message))
    try await fleet[0].write { connection in
      try connection.withStatement("DELETE FROM inbox WHERE identity = ?1") { statement in
        try statement.bind(identity, at: 1)
        _ = try statement.run()
      }
    }
  }

  // MARK: The operator

  private func decide(
    _ aggregate: String, _ number: Int, _ apply: Bool, _ step: Step, _ replica: Int
  ) async throws -> Attempt {
    let looks = Looks()
    let store = looks.store(fleet[replica], fleet.clock)
    let aggregateId = prefix + aggregate
    let held = try await store.database.read { connection in
      try HeldSnapshots.page(after: 0, limit: HeldSnapshots.limit, connection).filter { $0.aggregateId == aggregateId }
    }
    if held.isEmpty { return Attempt(step: step, ending: .nothing) }
    let outcome = try await store.decide(held[number % held.count], apply: apply)
    return Attempt(step: step, ending: .counted(outcome.map { .init($0) }), times: looks.all)
  }
}

extension StockRule.Counts {
  init(_ outcome: SnapshotOutcome) {
    self.init(
      applied: outcome.applied, stale: outcome.stale, clamped: outcome.clamped, invalid: outcome.invalid,
      zeroed: outcome.zeroed)
  }
}
