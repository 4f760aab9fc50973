import Glibc
import RPC
import ServiceKit

/// Where the gateway is.
enum GatewayTarget {
  /// The variable that names it.
  static let variable = "OMSCTL_GATEWAY"
  static let fallback = "127.0.0.1:50051"

  /// The option, OMSCTL_GATEWAY, the gateway's socket in STATE_DIR if there is one, GATEWAY_GRPC's default: the first
  /// of these that says something.
  static func find(option: String?, environment: Environment) throws(UsageError) -> Target {
    let text = option ?? environment[variable] ?? socket(environment) ?? fallback
    do {
      return try Target(parsing: text)
    } catch {
      throw UsageError("gateway \(error)")
    }
  }

  private static func socket(_ environment: Environment) -> String? {
    let path = (environment[CommonSettings.stateDirectory.name] ?? ".run") + "/gateway.sock"
    // One that may not be looked at may be there: the call says so.
    return access(path, F_OK) == 0 || errno == EACCES ? "unix:\(path)" : nil
  }
}

extension Target {
  /// Whether what is sent there leaves this machine nowhere.
  var staysOnTheMachine: Bool {
    switch self {
    case .unix, .unixDirectory: true
    case .dns(let host, _): Address.tcp(host: host, port: 0).isLoopback
    case .list(let addresses): addresses.allSatisfy(\.isLoopback)
    }
  }
}
