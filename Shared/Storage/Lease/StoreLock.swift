/// The right of one process to work on a service's store, for as long as it lives: e.g. there is one gateway on a journal.
///
/// It vanishes with its process, however that ends. On PostgreSQL it also vanishes with its connection, e.g. when the server is
/// restarted; then it is taken again as soon as the server is there, unless another process has had it in between. That one
/// can't be told what this one has in memory, and the other way round: this one has to end. Until it knows, it is not to begin
/// anything outside of the store (``isHeld``); what it writes is safe by itself, as its transactions fail once another process
/// has the lock (``fence``).
public final class StoreLock: Sendable {
  /// What happens to a lock on PostgreSQL.
  public enum Event: Sendable, Equatable {
    /// The connection was lost, or could not be made anew for another reason than before. It is tried on and on.
    case lost(StorageError)
    /// Held again, and nobody had it in between.
    case regained
    /// Another process has it or had it. Nothing comes after that.
    case taken(StorageError)
  }

  private let held: any HeldLock

  private init(_ held: any HeldLock) { self.held = held }

  /// Takes the lock. Blocks.
  ///
  /// - Parameters:
  ///   - service: whose store it is.
  ///   - waiting: how long to wait for another process to end.
  ///   - onEvent: told what happens to it later, by a thread that it must not keep.
  /// - Throws: ``StorageError``: `locked` when another process has it, `cannotOpen`, `unavailable`.
  public static func acquire(
    service: String, at location: StoreLocation, waiting: Duration = .zero,
    onEvent: @escaping @Sendable (Event) -> Void = { _ in }
  ) throws(StorageError) -> StoreLock {
    switch location {
    case .sqlite(let directory):
      let path = try StorePath.prepare(directory: directory, file: "\(service).sqlite-lock")
      return StoreLock(try FileLock(path: path, waiting: waiting))
    case .postgresql(let url):
      return StoreLock(
        try ServerLock(url: url, schema: location.schema(of: service), waiting: waiting, onEvent: onEvent))
    }
  }

  /// Whether no other process can have it now.
  public var isHeld: Bool { held.isHeld }

  /// What the transactions of its holder are checked by, for ``DatabaseOptions/fence``; nil where the lock can't be lost.
  public var fence: StoreFence? { held.fence }

  /// Gives it back before the process ends. ``StoreLock/acquire(service:at:waiting:onEvent:)`` of another one works when this
  /// returns.
  public func release() { held.release() }

  deinit { held.release() }
}

/// A lock of one of the engines.
protocol HeldLock: Sendable {
  var isHeld: Bool { get }
  var fence: StoreFence? { get }
  /// May be called again.
  func release()
}
