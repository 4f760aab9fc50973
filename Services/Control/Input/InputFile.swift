import EventLoop
import Glibc
import Messages

/// A file named on the command line, or standard input.
enum InputFile {
  /// More than a million stock rows.
  static let limit = 256 << 20

  /// A file as it was when it was opened.
  struct Contents {
    let bytes: [UInt8]
    /// Nil when it is no file but a pipe or a terminal.
    let modifiedAt: Google.Protobuf.Timestamp?
  }

  /// - Parameter path: `-` is standard input.
  static func read(_ path: String) throws(UsageError) -> [UInt8] { try contents(of: path).bytes }

  /// As ``read(_:)``.
  static func contents(of path: String) throws(UsageError) -> Contents {
    let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw UsageError("cannot open \(path): \(SystemError("open").reason); name a file that you can read, or -")
    }
    defer { if path != "-" { close(descriptor) } }
    let modifiedAt = modificationTime(descriptor)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw UsageError("cannot read \(path): \(SystemError("read").reason); name a file that can be read, or -")
      }
      guard count > 0 else { return Contents(bytes: bytes, modifiedAt: modifiedAt) }
      bytes += buffer[..<count]
      guard bytes.count <= limit else {
        throw UsageError("\(path) is longer than \(limit >> 20) MiB; split it into several files")
      }
    }
  }

  private static func modificationTime(_ descriptor: Int32) -> Google.Protobuf.Timestamp? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return .init(seconds: Int64(status.st_mtim.tv_sec), nanos: Int32(status.st_mtim.tv_nsec))
  }
}
