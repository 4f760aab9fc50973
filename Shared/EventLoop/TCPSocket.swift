import Glibc

/// Makes TCP sockets that listen.
public enum TCPSocket {
  /// Why none listens.
  public enum ListenError: Error, Sendable {
    case unknownHost(NameError)
    /// Of the last address that the host has.
    case system(SystemError)
  }

  /// Listens on the first of the host's addresses that lets it: non-blocking, closed on exec.
  ///
  /// - Parameter port: 0 lets the system choose.
  /// - Returns: the socket, which is the caller's to close, and the port that it got.
  public static func listen(host: String, port: UInt16) throws(ListenError) -> (descriptor: Int32, port: UInt16) {
    let candidates: [SocketAddress]
    do throws(NameError) {
      candidates = try SocketAddress.resolve(host: host, port: port, isPassive: true)
    } catch {
      throw .unknownHost(error)
    }
    var failure = SystemError("getaddrinfo", errno: EADDRNOTAVAIL)
    for candidate in candidates {
      do throws(SystemError) {
        let descriptor = try listen(on: candidate)
        return (descriptor, self.port(of: descriptor) ?? port)
      } catch {
        failure = error
      }
    }
    throw .system(failure)
  }

  private static let backlog: Int32 = 1024

  private static func listen(on address: SocketAddress) throws(SystemError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.family, type, 0)
    guard descriptor >= 0 else { throw SystemError("socket") }
    var one: Int32 = 1
    // A restarted process takes over an address whose old connections linger; two living ones still collide.
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    guard address.withSocketAddress({ bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, backlog) == 0 else {
      let error = SystemError("bind")
      close(descriptor)
      throw error
    }
    return descriptor
  }

  private static func port(of descriptor: Int32) -> UInt16? {
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &address) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        guard getsockname(descriptor, generic, &length) == 0 else { return nil }
        // The port is at the same place in both families (RFC 3493 §3.3).
        return generic.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { UInt16(bigEndian: $0.pointee.sin_port) }
      }
    }
  }
}
