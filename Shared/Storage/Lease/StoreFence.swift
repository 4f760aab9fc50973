/// The number of a ``StoreLock``'s holder, larger than those of all earlier ones. It is in the store itself, so that a holder that
/// does not know yet that it has lost the lock can't change anything there.
public struct StoreFence: Sendable, Equatable {
  let number: Int64

  /// The one row with the number of the last holder.
  static let table = "store_holder"

  /// Reads the number and keeps others from taking over until the transaction ends.
  static let read = "SELECT number FROM \(table) FOR SHARE"

  /// - Parameter found: the number in the store; nil when it has none.
  func check(_ found: Int64?, store: String) throws(StorageError) {
    if found == number { return }
    throw StorageError(
      .locked,
      "store \(store): another process has taken it over (it is holder \(found.map(String.init) ?? "unknown"), this one "
        + "was holder \(number))",
      remedy: "let one process work on a store: stop one of the two, or give it a database of its own")
  }
}
