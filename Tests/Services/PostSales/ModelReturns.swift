import EventLoop
import Messages

@testable import Commerce
@testable import PostSales

/// The returns of a shop, kept in memory.
final class ModelReturns: ReturnShop {
  private let state: Lock<[ShopReturn]>
  private let failure = Lock<CommerceError?>(nil)
  private let createFailure = Lock<CommerceError?>(nil)

  init(_ returns: [ShopReturn] = []) { state = Lock(returns) }

  var all: [ShopReturn] { state.withLock { $0 } }
  func put(_ made: ShopReturn) { state.withLock { $0.append(made) } }
  func remove(_ entityID: Int64) { state.withLock { $0.removeAll { $0.rma.entityId == entityID } } }

  /// What every question is answered from now on; nil answers them.
  func fail(_ error: CommerceError?) { failure.withLock { $0 = error } }

  /// What it is answered from now on to be asked for a return; nil makes them.
  func failToCreate(_ error: CommerceError?) { createFailure.withLock { $0 = error } }

  func hasReturns() async throws -> Bool {
    if let error = failure.withLock({ $0 }) { throw error }
    return true
  }

  func find(_ entityID: Int64) async throws -> ShopReturn? { all.first { $0.rma.entityId == entityID } }
  func returns(ofOrder entityID: Int64) async throws -> [ShopReturn] { all }
  func options() async throws -> ReturnOptions { ReturnOptions(options: [:]) }

  func order(_ entityID: Int64) async throws -> ShopOrder {
    ShopOrder(
      entityID: 7, incrementID: "100000007", state: "complete",
      currencies: Currencies(order: "EUR", base: "EUR", rate: 1), paymentMethod: "checkmo",
      items: [.init(id: 1, sku: "SCREW", ordered: 1_000), .init(id: 2, sku: "CLOTH", ordered: 3)])
  }

  func create(_ rma: Magento.Commerce.V1.Rma) async throws {
    if let error = createFailure.withLock({ $0 }) { throw error }
    state.withLock { all in
      var made = rma
      made.entityId = Int64(all.count + 1)
      for index in made.items.indices { made.items[index].entityId = Int64(index + 1) }
      all.append(ShopReturn(rma: made))
    }
  }

  func change(_ entityID: Int64, _ items: [Magento.Commerce.V1.RmaItem]) async throws {
    edit(entityID) { rma in
      for item in items {
        guard let index = rma.items.firstIndex(where: { $0.entityId == item.entityId }) else { continue }
        rma.items[index].status = item.status
        rma.items[index].qtyApproved = item.qtyApproved
      }
    }
  }

  func add(_ track: Magento.Commerce.V1.RmaTrack, to entityID: Int64) async throws {
    edit(entityID) { $0.tracks.append(track) }
  }

  func comment(_ text: String, on entityID: Int64) async throws {
    edit(entityID) { $0.comments.append(.init(comment: text)) }
  }

  private func edit(_ entityID: Int64, _ body: (inout Magento.Commerce.V1.Rma) -> Void) {
    state.withLock { all in
      guard let index = all.firstIndex(where: { $0.rma.entityId == entityID }) else { return }
      body(&all[index].rma)
    }
  }
}
