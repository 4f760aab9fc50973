import EventLoop
import Glibc
import RPC

/// `grpc.testing.TestService` on Shared/RPC, and a client that runs one case of gRPC's interoperability tests against
/// anybody's.
///
/// Source: gRPC's `doc/interop-test-descriptions.md`.
@main struct InteropPeer {
  static let usage = """
    usage: interop-peer server ADDRESS [CERTIFICATE KEY]
           interop-peer client TARGET CASE [CA]
    """

  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      switch (arguments.first, arguments.count) {
      case ("server", 2): try serve(arguments[1])
      case ("server", 4): try serve(arguments[1], .init(certificateFile: arguments[2], keyFile: arguments[3]))
      case ("client", 3): try await run(arguments[2], target: arguments[1])
      case ("client", 4): try await run(arguments[2], target: arguments[1], authority: arguments[3])
      default:
        print(usage)
        exit(2)
      }
    } catch {
      print("\(arguments.joined(separator: " ")): \(error)")
      exit(1)
    }
  }

  private static func serve(_ address: String, _ identity: TLSIdentity? = nil) throws {
    var router = Router()
    TestService().register(in: &router)
    let server = Server(group: try EventLoopGroup(loops: 1), router: router)
    let tls = try identity.map { try TLSServerContext(TLSServerConfiguration(identity: $0)) }
    print("listening on \(try server.listen(on: Address(parsing: address), tls: tls))")
    fflush(nil)
    while true { pause() }
  }

  private static func run(_ name: String, target: String, authority: String? = nil) async throws {
    guard let interopCase = InteropCase.all[name] else {
      throw Failed("not a case; there are \(InteropCase.all.keys.sorted().joined(separator: ", "))")
    }
    var options = ChannelOptions()
    if let authority { options.tls = try TLSClientContext(TLSClientConfiguration(caFile: authority)) }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: try Target(parsing: target), group: group, options: options)
    try await interopCase(InteropClient(channel))
    print("\(name): ok")
  }
}
