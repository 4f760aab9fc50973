import EventLoop
import Glibc
import Storage

/// Stands between a store and the server of the tests, and cuts a connection at its next COMMIT when it is told to.
final class CuttingProxy: Sendable {
  enum Cut: Sendable, CaseIterable {
    /// The server never hears of the COMMIT.
    case before
    /// The server's answer gets lost.
    case after
    /// The COMMIT is taken, and nothing ever said about it.
    case silence
  }

  let location: StoreLocation
  private let directory: String
  private let listener: Int32
  private let nextCut = Lock<Cut?>(nil)

  /// - Parameter serverURL: what `Tests/Support/postgresql` prints.
  init(serverURL: String) throws {
    var template = Array("/tmp/oms-proxy-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    location = try StoreLocation(url: "postgresql://oms@/oms?host=\(directory.replacing("/", with: "%2F"))")
    let server = serverURL.split(separator: "=").last.map { $0.replacing("%2F", with: "/") } ?? ""
    listener = try Self.withAddress("\(directory)/.s.PGSQL.5432") { descriptor, address, length throws(SystemError) in
      guard bind(descriptor, address, length) == 0, listen(descriptor, 16) == 0 else { throw SystemError("listen") }
    }
    try spawnThread(named: "proxy") { [self, listener] in
      while case let client = accept(listener, nil, nil), client >= 0 {
        guard let connection = try? Self.connected(to: "\(server)/.s.PGSQL.5432") else { return }
        try? spawnThread(named: "proxy") { self.forward(client, connection) }
      }
    }
  }

  /// Lets the threads and the folder go; connections that are open stay so.
  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
    unlink("\(directory)/.s.PGSQL.5432")
    rmdir(directory)
  }

  func cutNextCommit(_ cut: Cut) { nextCut.withLock { $0 = cut } }

  private func forward(_ client: Int32, _ server: Int32) {
    defer {
      close(client)
      close(server)
    }
    var isCutting: Cut?
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      var descriptors = [client, server].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      guard poll(&descriptors, 2, -1) > 0 else { return }
      for (source, target) in [(client, server), (server, client)] {
        guard descriptors[source == client ? 0 : 1].revents != 0 else { continue }
        let count = read(source, &buffer, buffer.count)
        if count <= 0 { return }
        if source == client, buffer[..<count].starts(with: Self.commit) {
          isCutting = nextCut.withLock { cut in
            defer { cut = nil }
            return cut
          }
          if isCutting == .before { return }
        } else if source == server, let isCutting {
          if isCutting == .after { return }
          continue
        }
        guard write(target, buffer, count) == count else { return }
      }
    }
  }

  /// The message Query (PostgreSQL's manual, §55.7).
  private static let commit = [UInt8(ascii: "Q"), 0, 0, 0, 11] + Array("COMMIT".utf8) + [0]

  private static func connected(to path: String) throws -> Int32 {
    try withAddress(path) { descriptor, address, length throws(SystemError) in
      guard connect(descriptor, address, length) == 0 else { throw SystemError("connect") }
    }
  }

  private static func withAddress(
    _ path: String, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
  ) throws(SystemError) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    try withUnsafeBytes(of: &address) { bytes throws(SystemError) in
      guard let base = bytes.baseAddress else { return }
      try body(descriptor, base.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
    return descriptor
  }
}
