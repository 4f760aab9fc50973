import Glibc

/// The fuzzer's end of a connection. Never blocks: both ends are served by one thread.
final class PeerSocket {
  private let descriptor: Int32
  private(set) var isAtEnd = false
  /// What the socket did not take at once.
  private var unsent: ArraySlice<UInt8> = []

  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  static func connect(to path: String) -> PeerSocket {
    let descriptor = makeSocket()
    let result = withAddress(path) { Glibc.connect(descriptor, $0, $1) }
    require(result == 0, "connect: errno \(errno)")
    return PeerSocket(descriptor: descriptor)
  }

  /// Appends to what is to be sent, and sends what the socket takes.
  func send(_ bytes: some Collection<UInt8>) {
    unsent += bytes
    while !unsent.isEmpty {
      let count = unsent.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return errno == EAGAIN ? () : unsent.removeAll() }
      unsent.removeFirst(count)
    }
  }

  /// Takes all that has come.
  func drain() {
    withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { buffer in
      while !isAtEnd {
        let count = read(descriptor, buffer.baseAddress, buffer.count)
        if count < 0 && errno == EAGAIN { return }
        isAtEnd = count <= 0
      }
    }
  }

  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  static func makeSocket() -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    require(descriptor >= 0, "socket: errno \(errno)")
    return descriptor
  }

  static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  /// In a directory of the process's own, inside `TMPDIR`, which `Tests/Fuzz/run` removes afterwards.
  static func temporaryPath() -> String {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/fuzz-XXXXXX".utf8CString)
    require(mkdtemp(&template) != nil, "mkdtemp: errno \(errno)")
    return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) + "/s"
  }
}
