import Glibc

/// A lock on bytes of a file that belongs to an open file and not to the process, and goes when that is closed (fcntl(2), "Open
/// file description locks").
struct OpenFileLock {
  private let start: off_t
  private let count: off_t

  /// - Parameter count: of bytes; 0 for all from `start` on.
  init(start: off_t, count: off_t) {
    self.start = start
    self.count = count
  }

  /// - Parameter type: `F_RDLCK`, `F_WRLCK`, or `F_UNLCK` to give it back.
  /// - Returns: whether that is done; if not, `errno` says why.
  func set(_ type: Int32, on descriptor: Int32) -> Bool {
    var lock = request(type)
    return fcntl(descriptor, Self.setLock, &lock) == 0
  }

  /// - Returns: a lock that keeps this one from being taken for writing, if there is one.
  func obstacle(on descriptor: Int32) -> flock? {
    var lock = request(F_WRLCK)
    guard fcntl(descriptor, Self.getLock, &lock) == 0, lock.l_type != Int16(F_UNLCK) else { return nil }
    return lock
  }

  private func request(_ type: Int32) -> flock {
    flock(l_type: Int16(type), l_whence: Int16(SEEK_SET), l_start: start, l_len: count, l_pid: 0)
  }

  /// F_OFD_GETLK and F_OFD_SETLK, which Swift doesn't import.
  private static let getLock: Int32 = 36
  private static let setLock: Int32 = 37
}
