import CSystem
import EventLoop
import Glibc

/// Puts stores in files into their place: all in one step, by which the old directory and the new one change places.
struct SQLiteRestore {
  private let services: [String]
  /// Where the stores are to be.
  private let directory: String
  /// What is beside a store's file by its name, for as long as it is worked on or after a crash.
  private static let suffixes = ["", "-wal", "-shm", "-journal", "-turn", "-lock"]

  init(services: [String], directory: String) {
    self.services = services
    self.directory = directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory
  }

  func run(
    _ stores: [StoreBackup.Store], from backup: String, keepingAs mark: String
  ) throws(StorageError) -> [String] {
    guard FilePath.exists(directory) else {
      try StorePath.makeDirectory(StorePath.directory(of: directory))
      try make(stores, from: backup, at: incoming)
      try FilePath.rename(incoming, to: directory)
      try FilePath.flush(StorePath.directory(of: directory))
      return []
    }
    try refuseStrangers()
    // The gateway takes its lock before it opens its store.
    let lock = try StoreLock.acquire(service: "gateway", directory: directory)
    defer { lock.release() }
    let found = services.map { "\(directory)/\(SQLiteBackup.file(of: $0))" }.filter(FilePath.exists)
    let standstill = try SQLiteStandstill(found)
    try make(stores, from: backup, at: incoming)
    let kept = try exchange(keepingAs: mark)
    withExtendedLifetime(standstill) {}
    guard !found.isEmpty else {
      // Nothing but locks.
      FilePath.remove(kept)
      return []
    }
    return [kept]
  }

  /// Where the new stores are made: beside their place, as only there they can be put into it in one step.
  private var incoming: String { directory + ".restoring" }

  /// The whole directory changes its place.
  private func refuseStrangers() throws(StorageError) {
    let own = Set(services.flatMap { service in Self.suffixes.map { SQLiteBackup.file(of: service) + $0 } })
    guard let stranger = try FilePath.names(in: directory).first(where: { !own.contains($0) }) else { return }
    throw StorageError(
      .cannotOpen, "\(directory) has something else in it than stores: \(stranger)",
      remedy: "move that away; a restore puts the whole directory aside")
  }

  private func make(
    _ stores: [StoreBackup.Store], from backup: String, at path: String
  ) throws(StorageError) {
    if FilePath.exists(path) {
      throw StorageError(
        .cannotOpen, "\(path) is there already, of a restore that was broken off or still runs",
        remedy: "move it away")
    }
    try FilePath.makeDirectory(path)
    do throws(StorageError) {
      for store in stores {
        try FilePath.copy("\(backup)/\(store.file)", to: "\(path)/\(store.file)")
        try RestoredOutbox.raiseIDs("\(path)/\(store.file)", now: WallClock.nanoseconds())
      }
      try giveAway(path, stores)
      try FilePath.flush(path)
    } catch {
      FilePath.remove(path)
      throw error
    }
  }

  /// Root restores for the user that the services run as: who has the directory, or the one that it is made in.
  private func giveAway(_ path: String, _ stores: [StoreBackup.Store]) throws(StorageError) {
    guard geteuid() == 0 else { return }
    var status = stat()
    let model = FilePath.exists(directory) ? directory : StorePath.directory(of: directory)
    guard stat(model, &status) == 0 else { throw StorePath.failure(SystemError("stat"), model) }
    for entry in [path] + stores.map({ "\(path)/\($0.file)" }) {
      guard chown(entry, status.st_uid, status.st_gid) == 0 else {
        throw StorePath.failure(SystemError("chown"), entry)
      }
    }
  }

  private func exchange(keepingAs mark: String) throws(StorageError) -> String {
    let kept = "\(directory).before_\(mark)"
    if FilePath.exists(kept) {
      FilePath.remove(incoming)
      throw StorageError(.cannotOpen, "\(kept) is there already", remedy: "restore again in a second")
    }
    guard csystem_exchange(incoming, directory) == 0 else {
      let reason = SystemError("renameat2").reason
      FilePath.remove(incoming)
      throw StorageError(
        .cannotOpen, "\(directory) can't be put aside: \(reason)",
        remedy:
          "it must not be a mount point, and the directory that it is in must be writable; or move it away by hand and "
          + "restore again")
    }
    // Now `incoming` is what was there.
    do throws(StorageError) {
      try FilePath.rename(incoming, to: kept)
      try FilePath.flush(StorePath.directory(of: directory))
    } catch {
      throw error.advising("the stores are restored; what was there is in \(incoming) or \(kept)")
    }
    return kept
  }
}
