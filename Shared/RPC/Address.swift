import EventLoop
import Glibc

/// Where to listen or to connect: a Unix socket or a TCP port.
public enum Address: Hashable, Sendable, CustomStringConvertible {
  /// A path of at most 107 bytes; relative ones start at the working directory.
  case unix(path: String)
  /// A name or a numeric address, IPv6 without brackets. Port 0 lets the system choose when listening.
  case tcp(host: String, port: UInt16)

  /// The longest path that fits `sockaddr_un` with its terminating NUL (`man 7 unix`).
  static let longestUnixPath = 107

  /// - Parameter text: `unix:PATH`, `HOST:PORT` or `[IPv6]:PORT`.
  public init(parsing text: String) throws(AddressError) {
    if text.hasPrefix("unix:") {
      var path = String(text.dropFirst("unix:".count))
      if path.hasPrefix("///") { path.removeFirst(2) }  // unix:///absolute is gRPC's other spelling
      guard !path.isEmpty else { throw AddressError(text, "the path is missing", remedy: "write unix:PATH") }
      guard path.utf8.count <= Address.longestUnixPath else {
        throw AddressError(
          text, "the path has \(path.utf8.count) bytes; a Unix socket's has at most \(Address.longestUnixPath)",
          remedy: "choose a shorter directory (STATE_DIR)")
      }
      self = .unix(path: path)
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      throw AddressError(text, "not an address", remedy: "write unix:PATH or HOST:PORT with a port from 0 to 65535")
    }
    var host = text[..<colon]
    if host.hasPrefix("[") && host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard !host.isEmpty, !host.contains("/"), !host.contains("[") else {
      throw AddressError(text, "the host is missing or not a name", remedy: "write HOST:PORT, e.g. 127.0.0.1:\(port)")
    }
    self = .tcp(host: String(host), port: port)
  }

  /// As `init(parsing:)` takes it.
  public var description: String {
    switch self {
    case .unix(let path): "unix:\(path)"
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
  }

  /// Whether it can be connected to without looking anything up.
  var isNumeric: Bool {
    switch self {
    case .unix: true
    case .tcp(let host, _): (try? SocketAddress.resolve(host: host, port: 0, isNumeric: true)) != nil
    }
  }

  var isIPv6: Bool {
    guard case .tcp(let host, _) = self else { return false }
    return host.contains(":")
  }

  /// Whether only this machine reaches it.
  public var isLoopback: Bool {
    switch self {
    case .unix: true
    case .tcp(let host, _): host == "localhost" || host == "::1" || host.isIPv4Loopback
    }
  }

  func withUnixSocketAddress<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R? {
    guard case .unix(let path) = self, path.utf8.count <= Address.longestUnixPath else { return nil }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  /// The other end of a TCP connection; `0.0.0.0:0` when it is gone already.
  init(peerOf descriptor: Int32) {
    let address = SocketAddress(peerOf: descriptor)
    self = .tcp(host: address?.numericHost ?? "0.0.0.0", port: address?.port ?? 0)
  }

  /// Looks a host up; blocks when it is a name.
  static func resolve(host: String, port: UInt16) throws(AddressError) -> [SocketAddress] {
    do throws(NameError) {
      return try SocketAddress.resolve(host: host, port: port)
    } catch {
      throw AddressError(Address.tcp(host: host, port: port), error.reason, remedy: "check the name")
    }
  }
}

/// An address that can't be used as it is.
public struct AddressError: Error, Sendable, CustomStringConvertible {
  /// As it was given.
  public let address: String
  /// What is wrong with it, e.g. `another process listens there`.
  public let reason: String
  /// What to do about it, e.g. `stop it or choose another path`.
  public let remedy: String

  init(_ address: String, _ reason: String, remedy: String) {
    self.address = address
    self.reason = reason
    self.remedy = remedy
  }

  init(_ address: Address, _ reason: String, remedy: String) {
    self.init(address.description, reason, remedy: remedy)
  }

  /// All three, on one line.
  public var description: String { "\(address): \(reason): \(remedy)" }
}

extension String {
  /// A numeric address in 127.0.0.0/8 (RFC 1122 §3.2.1.3). A name that begins so is none.
  fileprivate var isIPv4Loopback: Bool {
    let parts = split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}
