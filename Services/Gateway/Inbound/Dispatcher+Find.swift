import Storage

extension Dispatcher {
  /// Makes sure that a message which waits in the journal is delivered, whatever the dispatcher has been told of it before. To be
  /// called for a message that came again; one that is on its way, or has ended, is left alone.
  ///
  /// - Throws: `StorageError.overloaded` when too many are looked for already: the sender is to come again.
  func find(_ id: Int64, key: String) throws(StorageError) {
    guard !requeue(id, key: key) else { return }
    throw StorageError(
      .overloaded, "too many messages that came again, or were replayed, wait for \(destination)",
      remedy: "send it again later")
  }
}
