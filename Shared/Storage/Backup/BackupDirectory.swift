/// A directory that gets its name once everything in it is whole and on the disk: what has the name is a backup.
public struct BackupDirectory: Sendable {
  private let path: String
  /// Where the files are made.
  public var unfinished: String { path + ".part" }

  /// - Throws: ``StorageError`` of kind `cannotOpen` when there is something with that name already, or it can't be made.
  public init(making path: String) throws(StorageError) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    if FilePath.exists(self.path) {
      throw StorageError(
        .cannotOpen, "\(self.path) is there already", remedy: "name a directory that there is not, in one that there is"
      )
    }
    if FilePath.exists(unfinished) {
      throw StorageError(
        .cannotOpen, "\(unfinished) is there already, of a backup that was broken off or still runs",
        remedy: "remove it, or name another directory")
    }
    try FilePath.makeDirectory(unfinished)
  }

  /// Makes a file in it.
  public func write(_ text: String, to name: String) throws(StorageError) {
    try FilePath.write(Array(text.utf8), to: "\(unfinished)/\(name)")
  }

  /// Gives it its name.
  public func finish() throws(StorageError) {
    try FilePath.flush(unfinished)
    try FilePath.rename(unfinished, to: path)
    try FilePath.flush(StorePath.directory(of: path))
  }

  /// Removes it, unfinished.
  public func discard() { FilePath.remove(unfinished) }
}
