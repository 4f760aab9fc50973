import EventLoop
import Glibc

/// A file named on the command line, or standard input.
enum InputFile {
  /// More than a million stock rows.
  static let limit = 256 << 20

  /// - Parameter path: `-` is standard input.
  static func read(_ path: String) throws(UsageError) -> [UInt8] {
    let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw UsageError("cannot open \(path): \(SystemError("open").reason); name a file that you can read, or -")
    }
    defer { if path != "-" { close(descriptor) } }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw UsageError("cannot read \(path): \(SystemError("read").reason); name a JSON file, or -")
      }
      guard count > 0 else { return bytes }
      bytes += buffer[..<count]
      guard bytes.count <= limit else {
        throw UsageError("\(path) is longer than \(limit >> 20) MiB; split it into several files")
      }
    }
  }
}
