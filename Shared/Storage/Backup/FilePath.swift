import EventLoop
import Glibc

/// What backups do with files and directories.
enum FilePath {
  static func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  /// The names in a directory, sorted.
  static func names(in directory: String) throws(StorageError) -> [String] {
    guard let stream = opendir(directory) else { throw unreadable("opendir", directory) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { preconditionFailure("a name has a place") }
      let name = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
      names.append(String(cString: name))
    }
    return names.filter { $0 != "." && $0 != ".." }.sorted()
  }

  /// - Throws: `cannotOpen` also when there is something at `path` already.
  static func makeDirectory(_ path: String) throws(StorageError) {
    guard mkdir(path, 0o700) == 0 else {
      throw StorePath.failure(SystemError("mkdir"), path, remedy: makeWritable(StorePath.directory(of: path)))
    }
  }

  /// Removes a directory with the files in it, as far as that works: it is called after an error that says more.
  static func remove(_ directory: String) {
    for name in (try? names(in: directory)) ?? [] { unlink("\(directory)/\(name)") }
    rmdir(directory)
  }

  /// Makes an empty file for this user alone.
  static func makeFile(_ path: String) throws(StorageError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw StorePath.failure(SystemError("open"), path) }
    close(descriptor)
  }

  static func rename(_ path: String, to other: String) throws(StorageError) {
    guard Glibc.rename(path, other) == 0 else {
      let error = SystemError("rename to \(other)")
      throw StorePath.failure(error, path, remedy: makeWritable(StorePath.directory(of: other)))
    }
  }

  /// Returns when a file, or a directory with its names, is on the disk.
  static func flush(_ path: String) throws(StorageError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorePath.failure(SystemError("open"), path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw StorePath.failure(SystemError("fsync"), path) }
  }

  /// Makes a file with these bytes in it, on the disk.
  static func write(_ bytes: [UInt8], to path: String) throws(StorageError) {
    try makeFile(path)
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorePath.failure(SystemError("open"), path) }
    defer { close(descriptor) }
    try write(bytes[...], to: descriptor, path)
    guard fsync(descriptor) == 0 else { throw StorePath.failure(SystemError("fsync"), path) }
  }

  /// Makes a file with the contents of another one, on the disk.
  static func copy(_ other: String, to path: String) throws(StorageError) {
    try makeFile(path)
    let output = open(path, O_WRONLY | O_CLOEXEC)
    guard output >= 0 else { throw StorePath.failure(SystemError("open"), path) }
    defer { close(output) }
    try read(other) { bytes throws(StorageError) in try write(bytes, to: output, path) }
    guard fsync(output) == 0 else { throw StorePath.failure(SystemError("fsync"), path) }
  }

  /// Hands over a file's contents, piece by piece.
  static func read(_ path: String, _ body: (ArraySlice<UInt8>) throws(StorageError) -> Void) throws(StorageError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable("open", path) }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unreadable("read", path) }
      if count == 0 { return }
      try body(buffer[..<count])
    }
  }

  private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32, _ path: String) throws(StorageError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw StorePath.failure(SystemError("write"), path) }
      rest = rest.dropFirst(count)
    }
  }

  private static func makeWritable(_ directory: String) -> String {
    "make \(directory) a directory that this user can write to"
  }

  /// Takes the current `errno`.
  private static func unreadable(_ call: String, _ path: String) -> StorageError {
    StorePath.failure(SystemError(call), path, remedy: "see that it is there, and that this user can read it")
  }
}
