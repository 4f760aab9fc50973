import EventLoop
import Glibc
import RPC

/// The server that the RPC benchmark measures: bytes in, the same bytes out, on one loop.
@main struct Echo {
  static func main() throws {
    guard CommandLine.arguments.count == 2 else {
      print("usage: benchmark-echo HOST:PORT|unix:PATH")
      exit(2)
    }
    var router = Router()
    router.synchronousBytes(service: "benchmark.Echo", method: "Synchronous") { request, _, respond in
      respond(request)
    }
    router.unaryBytes(service: "benchmark.Echo", method: "Asynchronous") { request, _ in request }
    let group = try EventLoopGroup(loops: 1)
    let server = Server(group: group, router: router)
    let address = try server.listen(on: Address(parsing: CommandLine.arguments[1]))
    print("listening on \(address)")
    fflush(nil)
    while true { pause() }
  }
}
