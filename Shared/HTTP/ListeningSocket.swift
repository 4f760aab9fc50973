import EventLoop
import Glibc

/// A TCP socket that listens, made here rather than by libmicrohttpd so that errors can say what is wrong.
struct ListeningSocket {
  let descriptor: Int32
  /// With the port that the system chose when it was asked to.
  let address: HTTPAddress

  init(_ address: HTTPAddress, setting: String, backlog: Int32 = 1024) throws(HTTPServerError) {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(address.host, String(address.port), &hints, &list)
    guard code == 0, let first = list else {
      throw .unknownHost(address, setting: setting, reason: String(cString: gai_strerror(code)))
    }
    defer { freeaddrinfo(list) }

    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(first.pointee.ai_family, type, 0)
    guard descriptor >= 0 else { throw Self.error(errno, address, setting) }
    var on: Int32 = 1
    // A restarted process takes over an address whose old connections linger; two living ones still collide.
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    guard bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0, listen(descriptor, backlog) == 0
    else {
      let failure = errno
      close(descriptor)
      throw Self.error(failure, address, setting)
    }
    self.descriptor = descriptor
    self.address = HTTPAddress(host: address.host, port: Self.port(of: descriptor) ?? address.port)
  }

  private static func port(of descriptor: Int32) -> UInt16? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    guard result == 0 else { return nil }
    // The port is at the same place in sockaddr_in and sockaddr_in6.
    return withUnsafePointer(to: storage) {
      $0.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { UInt16(bigEndian: $0.pointee.sin_port) }
    }
  }

  private static func error(_ code: Int32, _ address: HTTPAddress, _ setting: String) -> HTTPServerError {
    switch code {
    case EADDRINUSE: .addressInUse(address, setting: setting)
    case EACCES: .permissionDenied(address, setting: setting)
    case EADDRNOTAVAIL: .unknownHost(address, setting: setting, reason: SystemError("bind", errno: code).reason)
    default: .cannotListen(address, setting: setting, reason: SystemError("bind", errno: code).reason)
    }
  }
}
