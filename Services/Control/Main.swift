import EventLoop
import Glibc
import RPC
import ServiceKit

/// `omsctl`: the connector's command line, a client of the gateway.
@main struct ControlMain {
  static func main() async {
    signal(SIGPIPE, SIG_IGN)  // `omsctl … | head` ends the output, not the program with a signal
    let code = await run(Array(CommandLine.arguments.dropFirst()), environment: .current, console: Console())
    _exit(code)
  }

  /// - Returns: 0 done, 1 the call failed or something is not healthy, 2 the command line or a file cannot be used.
  static func run(_ arguments: [String], environment: Environment, console: Console) async -> Int32 {
    let request: Request
    do {
      request = try Request(parsing: arguments)
    } catch {
      console.complain("omsctl: \(error); see omsctl --help")
      return 2
    }
    switch request {
    case .print(let text):
      console.print(text)
      return 0
    case .incomplete(let text):
      console.complain(text)
      return 2
    case .call(let invocation):
      return await carryOut(invocation, environment, console)
    }
  }

  private static func carryOut(_ invocation: Invocation, _ environment: Environment, _ console: Console) async -> Int32
  {
    do {
      return try await call(invocation, environment, console)
    } catch let error as UsageError {
      console.complain("omsctl: \(error)")
      return 2
    } catch let error as RPCError {
      for line in ErrorText.lines(of: error) { console.complain(DisplayText.withoutControls(line)) }
      return 1
    } catch {
      console.complain("omsctl: \(error)")
      return 1
    }
  }

  /// A person tells better than a machine whether to try again, and the gateway tries its replicas by itself.
  private static func channelOptions(_ tls: TLSClientContext?) -> ChannelOptions {
    var options = ChannelOptions()
    options.tls = tls
    options.retry = .never
    options.balancing = .pickFirst
    return options
  }

  private static func call(
    _ invocation: Invocation, _ environment: Environment, _ console: Console
  ) async throws -> Int32 {
    let target = try GatewayTarget.find(option: invocation.gateway, environment: environment)
    let credentials = try GatewayCredentials(options: invocation.credentials, environment: environment)
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let channel = Channel(target: target, group: group, options: Self.channelOptions(credentials.tls))
    defer { channel.shutdown() }
    if credentials.token != nil, credentials.tls == nil, !target.staysOnTheMachine {
      console.complain("omsctl: the token goes to \(target) in plain text, for all on the way to read; see --ca-file")
    }
    let timeout = invocation.timeout ?? invocation.command.defaultTimeout
    let session = Session(
      channel: channel, options: CallOptions(timeout: timeout, metadata: credentials.metadata),
      format: invocation.format, console: console, environment: environment)
    do {
      return try await invocation.command.run(in: session)
    } catch let error as RPCError
      where error.code == .unavailable && channel.addresses.contains(where: { error.message.hasPrefix("\($0): ") })
    {
      let isUnix = channel.addresses.contains { address in
        guard case .unix = address else { return false }
        return error.message.hasPrefix("\(address): ")
      }
      let hint = ConnectionHint.text(noConnection: error.message, hasTLS: credentials.tls != nil, isUnix: isUnix)
      throw RPCError(.unavailable, "\(error.message); \(hint)")
    } catch let error as RPCError where error.code == .unauthenticated {
      throw RPCError(.unauthenticated, "\(error.message); \(ConnectionHint.text(hasToken: credentials.token != nil))")
    }
  }
}
