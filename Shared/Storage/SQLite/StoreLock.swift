/// The right of one process to work on a service's store on SQLite, for as long as it lives: e.g. there is one gateway on a journal
/// there. It vanishes with its process, however that ends.
public final class StoreLock: Sendable {
  private let file: FileLock

  private init(_ file: FileLock) { self.file = file }

  /// Takes the lock. Blocks.
  ///
  /// - Parameters:
  ///   - service: whose store it is.
  ///   - directory: of the stores.
  ///   - waiting: how long to wait for another process to end.
  /// - Throws: ``StorageError``: `locked` when another process has it, `cannotOpen`.
  public static func acquire(
    service: String, directory: String, waiting: Duration = .zero
  ) throws(StorageError) -> StoreLock {
    let path = try StorePath.prepare(directory: directory, file: "\(service).sqlite-lock")
    return StoreLock(try FileLock(path: path, waiting: waiting))
  }

  /// Gives it back before the process ends.
  public func release() { file.release() }
}
