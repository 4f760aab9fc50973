import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// What is due elsewhere once a memo was made: durable, so that a service that is away misses nothing.
struct FollowUps: Sendable {
  /// Orders whose status has to be set again: a refund resets it to its state's default (magento-rules.md §1).
  static let orders = WorkQueue(kind: "order after refund")
  /// SKUs to be pushed to the shop anew: a refund may have restocked them, or deducted them again (magento-rules.md §3).
  static let stock = WorkQueue(kind: "stock after refund")

  private let ordersRunner: WorkRunner
  private let stockRunner: WorkRunner

  init(_ database: Database, sales: any OrderBook, inventory: Channel, _ setup: ServiceSetup) {
    ordersRunner = WorkRunner(Self.orders, in: database, loop: setup.group.next()) { item in
      try await Self.passing(item) { try await sales.resume(item.key) }
    }
    stockRunner = WorkRunner(Self.stock, in: database, loop: setup.group.next()) { item in
      try await Self.passing(item) {
        _ = try await inventory.unary(
          Omsconnector.V1.InventoryServiceMethods.pushStock, .init(skus: [item.key]),
          options: CallOptions(timeout: .seconds(30)))
      }
    }
  }

  /// What the other service can't do at all is not asked for again and again: its own reconciliation comes to it.
  private static func passing(_ item: WorkItem, _ call: () async throws -> Void) async throws -> WorkOutcome {
    do {
      try await call()
    } catch let error as RPCError
      where [.unimplemented, .invalidArgument, .failedPrecondition, .notFound].contains(error.code)
    {
      Log.warning(
        "what follows a refund was refused", ["kind": "\(item.kind)", "key": "\(item.key)", "reason": LogValue(error)])
    }
    return .done
  }

  func run(in setup: inout ServiceSetup) {
    ordersRunner.run(in: &setup)
    stockRunner.run(in: &setup)
  }

  func wake() {
    ordersRunner.wake()
    stockRunner.wake()
  }
}
