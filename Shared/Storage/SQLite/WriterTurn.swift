import EventLoop
import Glibc

/// Lets writers of several processes take turns.
///
/// SQLite has no queue for its write lock: who waits looks again now and then, and a neighbour that begins its next
/// transaction right after the last could keep it out for seconds. So who waits says so, by a shared lock on a file beside
/// the store, and who has just committed steps back for a moment when somebody else waits. Locks of open files vanish with
/// their process, so a crashed one is not waited for.
final class WriterTurn {
  private let descriptor: Int32
  private let lock = OpenFileLock(start: 0, count: 1)
  private var isAnnounced = false

  /// Longest time to step back; a waiting writer looks every 0.1 to 0.5 ms at first.
  private static let longestStepBackNanoseconds: UInt64 = 3_000_000

  init(path: String) throws(StorageError) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    if descriptor < 0 {
      throw StorageError(
        .cannotOpen, "\(path): \(String(cString: strerror(errno)))", remedy: "make it writable for this user")
    }
  }

  deinit { close(descriptor) }

  /// Says that this writer waits for the lock.
  func announce() {
    if isAnnounced { return }
    isAnnounced = lock.set(F_RDLCK, on: descriptor)
  }

  /// This writer has the lock, or gave up.
  func withdraw() {
    if !isAnnounced { return }
    isAnnounced = !lock.set(F_UNLCK, on: descriptor)
  }

  /// Waits while another writer says that it waits, for a moment at most. There is no event to wait for with a limit, so
  /// this looks again every quarter of a millisecond.
  func stepBack() {
    let end = EventLoop.monotonicNanoseconds() + Self.longestStepBackNanoseconds
    while othersWait, EventLoop.monotonicNanoseconds() < end { usleep(250) }
  }

  private var othersWait: Bool { lock.obstacle(on: descriptor) != nil }
}
