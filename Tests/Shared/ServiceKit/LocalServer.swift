import EventLoop
import Glibc
import RPC

@testable import ServiceKit

/// A server on a Unix socket of its own and a channel to it, for one test.
func withServer<R>(
  _ register: (inout Router) -> Void, options: ServerOptions = ServerOptions(),
  _ body: (Channel, Server) async throws -> R
) async throws -> R {
  var router = Router()
  register(&router)
  let group = try EventLoopGroup(loops: 1)
  defer { group.stop() }
  let server = Server(group: group, router: router, options: options)
  let path = "/tmp/servicekit-\(getpid())-\(UInt32.random(in: .min ... .max)).sock"
  let address = try server.listen(on: .unix(path: path))
  defer {
    unlink(path)
    unlink(path + ".lock")
  }
  let channel = Channel(target: Target(address), group: group)
  let result = try await body(channel, server)
  channel.shutdown()
  await server.shutdown(grace: .seconds(5))
  return result
}
