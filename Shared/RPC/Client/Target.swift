/// What a client calls, as a gRPC name. Source: gRPC's `doc/naming.md`; `unix-dir` is ours.
public enum Target: Hashable, Sendable, CustomStringConvertible {
  /// `unix:PATH`
  case unix(Address)
  /// `unix-dir:DIR`: every socket in a directory, watched. How replicas on one machine find each other.
  case unixDirectory(String)
  /// `dns:///HOST:PORT` or `HOST:PORT`: every address of a name, looked up again and again.
  case dns(host: String, port: UInt16)
  /// `ipv4:ADDRESS:PORT,ADDRESS:PORT` or `ipv6:[ADDRESS]:PORT,[ADDRESS]:PORT`: numeric, as nothing is looked up.
  case list([Address])

  /// Addresses of one target that are used; a name or a directory that has more is used in part, a list that has more is
  /// refused. Each costs every loop a connection.
  public static let addressLimit = 100

  /// - Parameter text: as the cases have it.
  /// - Throws: what is wrong with the text, and what to write.
  public init(parsing text: String) throws(AddressError) {
    if text.hasPrefix("unix-dir:") {
      let path = String(text.dropFirst("unix-dir:".count))
      guard !path.isEmpty else { throw AddressError(text, "the directory is missing", remedy: "write unix-dir:DIR") }
      self = .unixDirectory(path)
    } else if text.hasPrefix("unix:") {
      self = .unix(try Address(parsing: text))
    } else if text.hasPrefix("ipv4:") {
      self = .list(try Target.addresses(in: text, scheme: "ipv4:", example: "127.0.0.1:50051", isIPv6: false))
    } else if text.hasPrefix("ipv6:") {
      self = .list(try Target.addresses(in: text, scheme: "ipv6:", example: "[::1]:50051", isIPv6: true))
    } else {
      let authority = text.hasPrefix("dns:///") ? String(text.dropFirst("dns:///".count)) : text
      guard case .tcp(let host, let port) = try Address(parsing: authority) else {
        throw AddressError(
          text, "not a target",
          remedy: "write unix:PATH, unix-dir:DIR, dns:///HOST:PORT, ipv4:A:P,B:P or ipv6:[A]:P,[B]:P")
      }
      self = .dns(host: host, port: port)
    }
  }

  /// Exactly one address; a name is one that is looked up.
  public init(_ address: Address) {
    switch address {
    case .unix: self = .unix(address)
    case .tcp(let host, let port): self = address.isNumeric ? .list([address]) : .dns(host: host, port: port)
    }
  }

  private static func addresses(
    in text: String, scheme: String, example: String, isIPv6: Bool
  ) throws(AddressError) -> [Address] {
    let parts = text.dropFirst(scheme.count).split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count <= addressLimit else {
      throw AddressError(
        String(text.prefix(64)) + "…", "\(parts.count) addresses; a list has \(addressLimit) at most",
        remedy: "give them a name and write dns:///HOST:PORT, or list fewer")
    }
    var addresses: [Address] = []
    for part in parts {
      let address = try Address(parsing: String(part))
      guard case .tcp(let host, _) = address, address.isNumeric, host.contains(":") == isIPv6 else {
        throw AddressError(
          text, "\"\(part)\" is not a numeric address of \(isIPv6 ? "IPv6" : "IPv4")",
          remedy: "write \(scheme)\(example), or dns:///HOST:PORT for a name")
      }
      if !addresses.contains(address) { addresses.append(address) }
    }
    return addresses
  }

  /// As `init(parsing:)` takes it.
  public var description: String {
    switch self {
    case .unix(let address): address.description
    case .unixDirectory(let path): "unix-dir:\(path)"
    case .dns(let host, let port): "dns:///\(Address.tcp(host: host, port: port))"
    case .list(let addresses):
      (addresses.first?.isIPv6 == true ? "ipv6:" : "ipv4:") + addresses.map(\.description).joined(separator: ",")
    }
  }
}
