import EventLoop
import Messages
import RPC
import Stubs

/// `--check`: asks the process that runs with the same settings whether it serves.
enum HealthProbe {
  static let timeout = Duration.seconds(5)

  /// - Returns: nil when it serves, else why not.
  static func problem(at address: Address) async -> String? {
    let group: EventLoopGroup
    do {
      group = try EventLoopGroup(loops: 1)
    } catch {
      return String(describing: error)
    }
    let channel = Channel(target: Target(reachable(address)), group: group)
    do {
      let answer = try await channel.unary(
        Grpc.Health.V1.HealthMethods.check, .init(), options: CallOptions(timeout: timeout))
      return answer.status == .serving ? nil : "\(address) answers \(answer.status)"
    } catch {
      return "\(address) does not answer: \(error)"
    }
  }

  /// Where to connect to what listens on every address of the machine.
  static func reachable(_ address: Address) -> Address {
    switch address {
    case .tcp("0.0.0.0", let port): .tcp(host: "127.0.0.1", port: port)
    case .tcp("::", let port): .tcp(host: "::1", port: port)
    default: address
    }
  }
}
