/// The right of one process to work on a service's store, for as long as it lives: e.g. there is one gateway on a journal.
///
/// It vanishes with its process, however that ends.
public final class StoreLock: Sendable {
  private let held: any HeldLock

  private init(_ held: any HeldLock) { self.held = held }

  /// Takes the lock. Blocks.
  ///
  /// - Parameters:
  ///   - service: whose store it is.
  ///   - waiting: how long to wait for another process to end.
  ///   - onLoss: told when the lock is lost while it is held, which can happen on PostgreSQL only: with the connection. Another
  ///     process may have it from then on.
  /// - Throws: ``StorageError``: `locked` when another process has it, `cannotOpen`, `unavailable`.
  public static func acquire(
    service: String, at location: StoreLocation, waiting: Duration = .zero,
    onLoss: @escaping @Sendable (StorageError) -> Void = { _ in }
  ) throws(StorageError) -> StoreLock {
    switch location {
    case .sqlite(let directory):
      let path = try StorePath.prepare(directory: directory, file: "\(service).sqlite-lock")
      return StoreLock(try FileLock(path: path, waiting: waiting))
    case .postgresql(let url):
      return StoreLock(
        try ServerLock(url: url, schema: location.schema(of: service), waiting: waiting, onLoss: onLoss))
    }
  }

  /// Gives it back before the process ends. ``StoreLock/acquire(service:at:waiting:onLoss:)`` of another one works when this
  /// returns.
  public func release() { held.release() }

  deinit { held.release() }
}

/// A lock of one of the engines.
protocol HeldLock: Sendable {
  /// May be called again.
  func release()
}
