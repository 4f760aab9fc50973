import Glibc

/// A Unix socket that lies in a directory, and since when it is this one.
struct FoundSocket: Equatable {
  let path: String
  /// When the file was made, or got its permissions, which is after its server has begun to listen. Not the file's number:
  /// a socket that is made again in its old place may get the old one's.
  let changedSeconds: Int
  let changedNanoseconds: Int

  /// Sockets beyond this many are not looked at.
  private static let limit = 1024

  /// All sockets in `directory` in the order of their paths; none when it can't be read. Those with a path that nobody can
  /// connect to are left out.
  static func all(in directory: String) -> [FoundSocket] {
    guard let listing = opendir(directory) else { return [] }
    defer { closedir(listing) }
    var found: [FoundSocket] = []
    while found.count < limit, let entry = readdir(listing) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      let path = directory + "/" + name
      var information = stat()
      guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFSOCK,
        path.utf8.count <= Address.longestUnixPath
      else { continue }
      let changed = information.st_ctim
      found.append(FoundSocket(path: path, changedSeconds: changed.tv_sec, changedNanoseconds: changed.tv_nsec))
    }
    return found.sorted { $0.path < $1.path }
  }
}
