import Glibc

/// Removes a file, or a directory with all in it; of a link the link, not what it leads to.
public func removeTree(_ path: String) {
  // Fails for a directory that has something in it.
  if remove(path) == 0 { return }
  if let directory = opendir(path) {
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { removeTree("\(path)/\(name)") }
    }
    closedir(directory)
  }
  remove(path)
}
