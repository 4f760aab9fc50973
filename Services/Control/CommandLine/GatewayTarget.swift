import Glibc
import RPC
import ServiceKit

/// Where the gateway is.
enum GatewayTarget {
  static let fallback = "127.0.0.1:50051"

  /// The option, OMSCTL_GATEWAY, the gateway's socket in STATE_DIR if there is one, GATEWAY_GRPC's default: the first of
  /// these that says something.
  static func find(option: String?, environment: Environment) throws(UsageError) -> Target {
    let text = option ?? environment["OMSCTL_GATEWAY"] ?? socket(environment) ?? fallback
    do {
      return try Target(parsing: text)
    } catch {
      throw UsageError("gateway \(error)")
    }
  }

  private static func socket(_ environment: Environment) -> String? {
    let path = (environment["STATE_DIR"] ?? ".run") + "/gateway.sock"
    return access(path, F_OK) == 0 ? "unix:\(path)" : nil
  }
}
