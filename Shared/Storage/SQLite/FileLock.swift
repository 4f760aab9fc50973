import EventLoop
import Glibc

/// A lock on a file beside the store. The kernel gives it back when the process ends.
final class FileLock: Sendable {
  private let descriptor: Lock<Int32?>
  private static let wholeFile = OpenFileLock(start: 0, count: 0)

  init(path: String) throws(StorageError) {
    let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    if opened < 0 {
      throw StorageError(
        .cannotOpen, "\(path): \(SystemError("open").reason)", remedy: "make it writable for this user")
    }
    guard Self.wholeFile.set(F_WRLCK, on: opened) else {
      let holder = Self.holder(opened)
      close(opened)
      throw StorageError(
        .locked, "store \(path): process \(holder) works on it, and only one may",
        remedy: "stop that one first, or give this one a store of its own")
    }
    Self.note(opened)
    descriptor = Lock(opened)
  }

  deinit { release() }

  /// May be called again.
  func release() {
    descriptor.withLock { descriptor in
      if let open = descriptor { close(open) }
      descriptor = nil
    }
  }

  /// For whoever finds the lock taken: its kind has no process id.
  private static func note(_ descriptor: Int32) {
    var text = Array("\(getpid())\n".utf8)
    _ = ftruncate(descriptor, 0)
    _ = pwrite(descriptor, &text, text.count, 0)
  }

  private static func holder(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 20)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let digits = bytes.prefix(max(count, 0)).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return digits.isEmpty ? "unknown" : String(decoding: digits, as: UTF8.self)
  }
}
