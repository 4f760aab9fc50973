/// What a client calls, as a gRPC name. Source: gRPC's `doc/naming.md`; `unix-dir` is ours.
public enum Target: Hashable, Sendable, CustomStringConvertible {
  /// `unix:PATH`
  case unix(Address)
  /// `unix-dir:DIR`: every socket in a directory, watched. How replicas on one machine find each other.
  case unixDirectory(String)
  /// `dns:///HOST:PORT` or `HOST:PORT`: every address of a name, looked up again and again.
  case dns(host: String, port: UInt16)
  /// `ipv4:ADDRESS:PORT,ADDRESS:PORT`
  case list([Address])

  public init(parsing text: String) throws(AddressError) {
    if text.hasPrefix("unix-dir:") {
      let path = String(text.dropFirst("unix-dir:".count))
      guard !path.isEmpty else { throw AddressError(text, "the directory is missing", remedy: "write unix-dir:DIR") }
      self = .unixDirectory(path)
    } else if text.hasPrefix("unix:") {
      self = .unix(try Address(parsing: text))
    } else if text.hasPrefix("ipv4:") {
      var addresses: [Address] = []
      for part in text.dropFirst("ipv4:".count).split(separator: ",", omittingEmptySubsequences: false) {
        addresses.append(try Address(parsing: String(part)))
      }
      self = .list(addresses)
    } else {
      let authority = text.hasPrefix("dns:///") ? String(text.dropFirst("dns:///".count)) : text
      guard case .tcp(let host, let port) = try Address(parsing: authority) else {
        throw AddressError(
          text, "not a target", remedy: "write unix:PATH, unix-dir:DIR, dns:///HOST:PORT or ipv4:A:P,B:P")
      }
      self = .dns(host: host, port: port)
    }
  }

  /// Exactly one address.
  public init(_ address: Address) {
    switch address {
    case .unix: self = .unix(address)
    case .tcp: self = .list([address])
    }
  }

  public var description: String {
    switch self {
    case .unix(let address): address.description
    case .unixDirectory(let path): "unix-dir:\(path)"
    case .dns(let host, let port): "dns:///\(Address.tcp(host: host, port: port))"
    case .list(let addresses): "ipv4:" + addresses.map(\.description).joined(separator: ",")
    }
  }
}
