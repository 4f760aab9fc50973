import CSystem
import EventLoop
import Glibc

/// A bound and listening socket. One process an address: a second one gets an error, also on a Unix socket, whose file
/// a dead process leaves behind.
final class ListeningSocket: Sendable {
  /// With the port that the system chose when 0 was asked for.
  let address: Address
  let descriptor: Int32
  /// Held while a Unix socket is served; what tells a dead process's file from a living one's.
  private let lock: Int32

  private static let backlog: Int32 = 1024
  private static let socketMode: mode_t = 0o660

  init(_ address: Address) throws(AddressError) {
    switch address {
    case .unix(let path):
      self.address = address
      (descriptor, lock) = try ListeningSocket.listen(path: path, address)
    case .tcp(let host, let port):
      let socket = try ListeningSocket.listen(host: host, port: port, address)
      descriptor = socket.descriptor
      lock = -1
      self.address = .tcp(host: host, port: socket.port)
    }
  }

  func close() {
    if case .unix(let path) = address {
      unlink(path)
      // The lock's file stays: removed, it could be locked by two processes at once, each with a file of its own.
    }
    Glibc.close(descriptor)
    if lock >= 0 { Glibc.close(lock) }
  }

  /// Settings of an accepted connection.
  func configure(_ connection: Int32) {
    guard case .tcp = address else { return }
    var one: Int32 = 1
    setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func listen(path: String, _ address: Address) throws(AddressError) -> (Int32, Int32) {
    let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else {
      throw AddressError(address, SystemError("open").reason, remedy: "make its directory, writable by this user")
    }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      Glibc.close(lock)
      throw AddressError(address, "another process listens there", remedy: "stop it or choose another path")
    }
    unlink(path)
    let descriptor = socket(AF_UNIX, socketType, 0)
    guard descriptor >= 0 else {
      Glibc.close(lock)
      throw AddressError(address, SystemError("socket").reason, remedy: "raise the limit of open files")
    }
    // The file is never open to more than user and group: `bind` makes it with the socket's own mode, less the umask, which
    // is then given back before anybody can connect.
    let isBound =
      fchmod(descriptor, socketMode) == 0 && address.withUnixSocketAddress { bind(descriptor, $0, $1) } == 0
    guard isBound, chmod(path, socketMode) == 0, Glibc.listen(descriptor, backlog) == 0 else {
      let reason = SystemError("bind").reason
      Glibc.close(descriptor)
      Glibc.close(lock)
      throw AddressError(address, reason, remedy: "choose a path that this user may write to")
    }
    return (descriptor, lock)
  }

  private static func listen(
    host: String, port: UInt16, _ address: Address
  ) throws(AddressError) -> (descriptor: Int32, port: UInt16) {
    do throws(TCPSocket.ListenError) {
      return try TCPSocket.listen(host: host, port: port)
    } catch {
      switch error {
      case .unknownHost(let error): throw AddressError(address, error.reason, remedy: "check the name")
      case .system(let error):
        let reason = error.number == EADDRINUSE ? "another process listens there" : error.reason
        throw AddressError(address, reason, remedy: "stop the other process or choose another port")
      }
    }
  }

  private static var socketType: Int32 {
    Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
  }
}
