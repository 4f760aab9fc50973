import EventLoop
import Messages
import RPC
import Stubs

/// `--check`: asks the process that runs with the same settings whether it serves.
enum HealthProbe {
  static let timeout = Duration.seconds(5)

  /// - Parameter addresses: the service's own; asked is a Unix socket where there is one.
  /// - Returns: nil when it serves, else why not.
  static func problem(at addresses: [Address], _ configuration: Configuration) async -> String? {
    // There is one at least.
    let address = addresses.first { if case .unix = $0 { true } else { false } } ?? addresses[0]
    let group: EventLoopGroup
    var options = ChannelOptions()
    do {
      group = try EventLoopGroup(loops: 1)
      options.tls = try TLSSetup.probe(configuration)
    } catch {
      return String(describing: error)
    }
    let channel = Channel(target: Target(reachable(address)), group: group, options: options)
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
