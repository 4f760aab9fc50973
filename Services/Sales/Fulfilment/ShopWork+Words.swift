import Commerce
import ServiceKit
import Storage

/// What is said on the order.
extension ShopWork {
  func say(
    _ comment: FulfilmentLedger.Comment?, _ status: String?, _ ledger: FulfilmentLedger
  ) async throws -> Progress {
    let (store, id) = (store, ledger.incrementID)
    if let comment {
      // Said before, and not noted.
      if try await !link.comments(ledger.entityID).contains(comment.text) {
        try await post(comment.text, status, ledger)
      }
      try await write(id) { try store.removeComment($0, of: id, comment.id) }
      return .goOn
    }
    guard let status else { return .goOn }
    try await post("OMS: \(ledger.status.text)", status, ledger)
    // A shop that takes a status and shows another one would be told for ever.
    if try await link.read(ledger.entityID).status != status { _ = RefusedStatuses.shared.insert(status) }
    return .goOn
  }

  /// A status that is not made, or not assigned to the order's state, is refused by newer versions: it degrades to a comment
  /// (magento-rules.md §3).
  private func post(_ text: String, _ status: String?, _ ledger: FulfilmentLedger) async throws {
    do {
      try await link.comment(ledger.entityID, text, status: status)
    } catch let error as CommerceError {
      guard let status, error.kind == .refused else { throw error }
      // Ours are for orders that are new or processing. One that somebody has cancelled can't have them, and says nothing of others.
      let isOpen = ["new", "processing"].contains(try await link.read(ledger.entityID).state)
      if isOpen, RefusedStatuses.shared.insert(status) {
        Log.warning(
          "the shop refuses an order status; make it there and assign it to new and processing",
          ["status": "\(status)", "reason": LogValue(error)])
      }
      try await link.comment(ledger.entityID, text, status: nil)
    }
  }
}
