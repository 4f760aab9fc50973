import EventLoop
import Glibc

/// Nobody has any of these stores open, nor can open one, for as long as this lives.
///
/// Whoever works on a store in WAL mode holds a shared lock on SQLite's lock bytes for as long as it is open (its file format,
/// §1.6). This takes all of them for itself, and asks no library: a store that is damaged is no hindrance.
final class SQLiteStandstill {
  private var descriptors: [Int32] = []

  /// `PENDING_BYTE` and the 511 that follow: the lock-byte page of the file format.
  private static let lockBytes = (start: 0x4000_0000, count: 512)

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
    var lock = Self.region()
    if fcntl(descriptor, Self.setLock, &lock) == 0 { return }
    guard errno == EAGAIN || errno == EACCES else { throw StorePath.failure(SystemError("fcntl"), path) }
    lock = Self.region()
    // Of a process in another container there is no number here.
    let isKnown = fcntl(descriptor, Self.getLock, &lock) == 0 && lock.l_type != Int16(F_UNLCK) && lock.l_pid > 0
    throw StorageError(
      .locked, "store \(path): \(isKnown ? "process \(lock.l_pid)" : "another process") has it open",
      remedy: "stop all services first")
  }

  private static func region() -> flock {
    flock(
      l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: off_t(lockBytes.start), l_len: off_t(lockBytes.count),
      l_pid: 0)
  }

  /// F_OFD_GETLK and F_OFD_SETLK (fcntl(2)), which Swift doesn't import.
  private static let getLock: Int32 = 36
  private static let setLock: Int32 = 37
}
