import Glibc

/// A TCP address as the system has it: a `sockaddr` of either family.
public struct SocketAddress: Hashable, Sendable {
  /// `AF_INET` or `AF_INET6`.
  public let family: Int32
  private let bytes: [UInt8]

  init(_ address: UnsafePointer<sockaddr>, length: socklen_t, family: Int32) {
    self.family = family
    bytes = [UInt8](UnsafeRawBufferPointer(start: address, count: Int(length)))
  }

  /// The other end of a connected TCP socket; nil when it is not connected any more.
  public init?(peerOf descriptor: Int32) {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
    }
    guard result == 0 else { return nil }
    family = Int32(storage.ss_family)
    bytes = withUnsafeBytes(of: &storage) { Array($0.prefix(Int(length))) }
  }

  /// The port is at the same place in both families (RFC 3493 §3.3).
  public var port: UInt16 {
    withSocketAddress { address, _ in
      address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { UInt16(bigEndian: $0.pointee.sin_port) }
    }
  }

  /// Lends the `sockaddr` and its length.
  public func withSocketAddress<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    bytes.withUnsafeBytes { bytes in
      // Never empty: it came from a sockaddr. Arrays are aligned to 16 bytes.
      body(bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
  }

  /// The numeric host, for messages and for connecting to exactly this address.
  public var numericHost: String {
    var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let result = withSocketAddress {
      getnameinfo($0, $1, &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
    }
    guard result == 0 else { return "?" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Looks a host up; blocks when it is a name.
  ///
  /// - Parameters:
  ///   - isPassive: for listening.
  ///   - isNumeric: `host` is no name, so that nothing is looked up and nothing blocks; a name is an error.
  public static func resolve(
    host: String, port: UInt16, isPassive: Bool = false, isNumeric: Bool = false
  ) throws(NameError) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV | (isPassive ? AI_PASSIVE : 0) | (isNumeric ? AI_NUMERICHOST : 0)
    var list: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(host, String(port), &hints, &list)
    guard result == 0 else { throw NameError(reason: String(cString: gai_strerror(result))) }
    defer { freeaddrinfo(list) }
    var addresses: [SocketAddress] = []
    var entry = list
    while let info = entry {
      if let address = info.pointee.ai_addr {
        addresses.append(SocketAddress(address, length: info.pointee.ai_addrlen, family: info.pointee.ai_family))
      }
      entry = info.pointee.ai_next
    }
    return addresses
  }
}

/// A host's name has no address.
public struct NameError: Error, Sendable {
  /// In the resolver's words, e.g. `Name or service not known`.
  public let reason: String
}
