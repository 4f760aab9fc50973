import EventLoop
import Glibc

/// The directory that a Unix socket is made in.
enum SocketDirectory {
  struct CreateError: Error, CustomStringConvertible {
    let description: String
  }

  /// Makes what is missing of it, for this user and their group.
  static func create(for path: String) throws(CreateError) {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
    let directory = String(path[..<slash])
    var end = directory.startIndex
    while end != directory.endIndex {
      end = directory[directory.index(after: end)...].firstIndex(of: "/") ?? directory.endIndex
      let part = String(directory[..<end])
      guard mkdir(part, 0o750) == 0 || errno == EEXIST else {
        throw CreateError(
          description: "cannot create the directory \(part) for the socket \(path): \(SystemError("mkdir").reason); "
            + "choose one that this user can write (STATE_DIR, LISTEN)")
      }
    }
  }
}
