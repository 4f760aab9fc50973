/// Why a server could not start. The description names the address and the remedy.
public enum HTTPServerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// `setting` is the configuration variable that holds the address.
  case addressInUse(HTTPAddress, setting: String)
  case permissionDenied(HTTPAddress, setting: String)
  case unknownHost(HTTPAddress, setting: String, reason: String)
  case cannotListen(HTTPAddress, setting: String, reason: String)

  public var description: String {
    switch self {
    case .addressInUse(let address, let setting):
      "\(address) is in use by another process: stop it or set \(setting) to another address"
    case .permissionDenied(let address, let setting):
      "\(address) needs more rights than this process has: set \(setting) to a port above 1023"
    case .unknownHost(let address, let setting, let reason):
      "\(address) is no address of this machine (\(reason)): set \(setting) to HOST:PORT, e.g. 127.0.0.1:8080"
    case .cannotListen(let address, let setting, let reason):
      "cannot listen on \(address): \(reason); set \(setting) to another address"
    }
  }
}
