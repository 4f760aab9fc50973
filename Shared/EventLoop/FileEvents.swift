import CSystem

/// Something that wants to know when a file descriptor is ready. Called on the loop that it is registered with.
///
/// A handler may be called for a descriptor that is not ready after all (the number was reused within one batch of
/// events), so reads and writes have to expect `EAGAIN`.
public protocol FileEventHandler: AnyObject {
  /// The descriptor is ready for these, or broken.
  func handle(_ events: FileEvents)
}

/// Something with output to write once the current event and the jobs that came of it are done: what one read has asked
/// for then leaves in one system call.
public protocol Flushable: AnyObject {
  /// Writes what there is; called once for each `EventLoop.scheduleFlush`.
  func flush()
}

/// What a descriptor is ready for.
public struct FileEvents: OptionSet, Sendable {
  /// epoll's bits (`man 2 epoll_ctl`).
  public let rawValue: UInt32
  /// From what epoll reports.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Bytes, or connections, can be taken.
  public static let readable = FileEvents(rawValue: EPOLLIN.rawValue)
  /// Bytes can be written; of a socket that connects: it has, or has failed to.
  public static let writable = FileEvents(rawValue: EPOLLOUT.rawValue)
  /// The peer is gone. Reported without being asked for, as is `error`.
  public static let hangUp = FileEvents(rawValue: EPOLLHUP.rawValue)
  /// The descriptor is broken; the next system call on it says how.
  public static let error = FileEvents(rawValue: EPOLLERR.rawValue)
}
