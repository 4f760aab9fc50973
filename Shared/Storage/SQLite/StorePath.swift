import EventLoop
import Glibc

/// Where a store's file lies.
public enum StorePath {
  /// The directory that `url` names.
  ///
  /// - Parameter url: `sqlite:DIR`, the value of `DATABASE_URL`.
  /// - Throws: ``StorageError`` of kind `cannotOpen` that says what is allowed.
  public static func directory(fromURL url: String) throws(StorageError) -> String {
    let scheme = "sqlite:"
    guard url.hasPrefix(scheme), url.utf8.count > scheme.utf8.count else {
      throw StorageError(
        .cannotOpen, "\"\(url)\" is not a store",
        remedy: "write sqlite:DIR, e.g. sqlite:/var/lib/oms, or postgresql://USER@HOST/DATABASE")
    }
    let directory = String(url.dropFirst(scheme.count))
    // "sqlite://data" would be taken for /data, which nobody means.
    if directory.hasPrefix("//") {
      throw StorageError(
        .cannotOpen, "\"\(url)\" has a host", remedy: "write sqlite:DIR without //, e.g. sqlite:/var/lib/oms")
    }
    return directory
  }

  /// Makes `directory` (mode 0700) with its parents, and in it an empty `file` (mode 0600) unless it exists.
  /// SQLite gives its -wal and -shm files the same mode.
  ///
  /// - Returns: the file's path.
  public static func prepare(directory: String, file: String) throws(StorageError) -> String {
    try makeDirectory(directory)
    let path = directory.hasSuffix("/") ? directory + file : directory + "/" + file
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    if descriptor < 0 { throw failure(SystemError("open"), path) }
    Glibc.close(descriptor)
    return path
  }

  static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// With its parents, unless it is there.
  static func makeDirectory(_ directory: String) throws(StorageError) {
    if mkdir(directory, 0o700) == 0 { return }
    switch errno {
    case EEXIST:
      return
    case ENOENT where directory.contains("/") && Self.directory(of: directory) != directory:
      try makeDirectory(Self.directory(of: directory))
      if mkdir(directory, 0o700) != 0 && errno != EEXIST { throw failure(SystemError("mkdir"), directory) }
    default:
      throw failure(SystemError("mkdir"), directory)
    }
  }

  /// - Parameter remedy: unless the disk is full; nil when `path` has to be written to.
  static func failure(_ error: SystemError, _ path: String, remedy: String? = nil) -> StorageError {
    let full = error.number == ENOSPC || error.number == EDQUOT
    return StorageError(
      full ? .full : .cannotOpen, "\(path): \(error)",
      remedy: full ? "free disk space" : remedy ?? "make \(path) a place that this user can write to")
  }
}
