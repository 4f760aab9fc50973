import EventLoop
import Glibc
import RPC

@testable import Control

/// Runs a command line of omsctl against a gateway of its own, over a real socket.
///
/// - Parameter register: what the gateway answers.
func run(
  _ arguments: [String], _ register: (inout Router) -> Void = { _ in }
) async throws -> (code: Int32, out: String, err: String) {
  var router = Router()
  register(&router)
  let group = try EventLoopGroup(loops: 1)
  defer { group.stop() }
  let server = Server(group: group, router: router)
  let path = "/tmp/omsctl-\(getpid())-\(UInt32.random(in: .min ... .max)).sock"
  try server.listen(on: .unix(path: path))
  defer { for suffix in ["", ".lock"] { unlink(path + suffix) } }
  let captured = Captured()
  let code = await ControlMain.run(
    arguments, environment: ["OMSCTL_GATEWAY": "unix:\(path)"], console: captured.console)
  await server.shutdown(grace: .seconds(5))
  return (code, captured.output, captured.error)
}
