import EventLoop
import Glibc

/// Nobody has any of these stores open, nor can open one, for as long as this lives.
///
/// Whoever works on a store in WAL mode holds a shared lock on SQLite's lock bytes for as long as it is open (its file format,
/// §1.6). This takes all of them for itself, and asks no library: a store that is damaged is no hindrance.
final class SQLiteStandstill {
  private var descriptors: [Int32] = []

  /// `PENDING_BYTE` and the 511 that follow: the lock-byte page of the file format.
  private static let lockBytes = OpenFileLock(start: 0x4000_0000, count: 512)

  /// - Parameter paths: files that there are.
  /// - Throws: `locked` when somebody has one open.
  init(_ paths: [String]) throws(StorageError) {
    do throws(StorageError) {
      for path in paths { try hold(path) }
    } catch {
      release()
      throw error
    }
  }

  deinit { release() }

  private func release() {
    for descriptor in descriptors { close(descriptor) }
    descriptors = []
  }

  private func hold(_ path: String) throws(StorageError) {
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorePath.failure(SystemError("open"), path) }
    descriptors.append(descriptor)
    if Self.lockBytes.set(F_WRLCK, on: descriptor) { return }
    guard errno == EAGAIN || errno == EACCES else { throw StorePath.failure(SystemError("fcntl"), path) }
    // Of a process in another container there is no number here.
    let process = Self.lockBytes.obstacle(on: descriptor)?.l_pid ?? 0
    throw StorageError(
      .locked, "store \(path): \(process > 0 ? "process \(process)" : "another process") has it open",
      remedy: "stop all services first")
  }
}
