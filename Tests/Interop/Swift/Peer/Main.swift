import EventLoop
import Glibc
import RPC

/// `grpc.testing.TestService` on Shared/RPC, and a client that runs one case of gRPC's interoperability tests against
/// anybody's.
///
/// Source: gRPC's `doc/interop-test-descriptions.md`.
@main struct InteropPeer {
  static let usage = """
    usage: interop-peer server ADDRESS
           interop-peer client TARGET CASE
    """

  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      switch (arguments.first, arguments.count) {
      case ("server", 2): try serve(arguments[1])
      case ("client", 3): try await run(arguments[2], target: arguments[1])
      default:
        print(usage)
        exit(2)
      }
    } catch {
      print("\(arguments.joined(separator: " ")): \(error)")
      exit(1)
    }
  }

  private static func serve(_ address: String) throws {
    var router = Router()
    TestService().register(in: &router)
    let server = Server(group: try EventLoopGroup(loops: 1), router: router)
    print("listening on \(try server.listen(on: Address(parsing: address)))")
    fflush(nil)
    while true { pause() }
  }

  private static func run(_ name: String, target: String) async throws {
    guard let interopCase = InteropCase.all[name] else {
      throw Failed("not a case; there are \(InteropCase.all.keys.sorted().joined(separator: ", "))")
    }
    let channel = Channel(target: try Target(parsing: target), group: try EventLoopGroup(loops: 1))
    try await interopCase(InteropClient(channel))
    print("\(name): ok")
  }
}
