/// The right of one process to work on a service's store on SQLite, for as long as it lives: e.g. there is one gateway on a journal
/// there. It vanishes with its process, however that ends.
public final class StoreLock: Sendable {
  private let file: FileLock

  private init(_ file: FileLock) { self.file = file }

  /// Takes the lock.
  ///
  /// - Parameters:
  ///   - service: whose store it is.
  ///   - directory: of the stores.
  /// - Throws: ``StorageError``: `locked` when another process has it, `cannotOpen`.
  public static func acquire(service: String, directory: String) throws(StorageError) -> StoreLock {
    let path = try StorePath.prepare(directory: directory, file: "\(service).sqlite-lock")
    return StoreLock(try FileLock(path: path))
  }

  /// Gives it back before the process ends.
  public func release() { file.release() }
}
