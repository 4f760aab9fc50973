import EventLoop
import Glibc
import RPC
import ServiceKit

/// The servers under measurement, on one loop each.
enum Echo {
  static let service = "benchmark.Echo"
  /// The handler answers at once.
  static let synchronous = "Synchronous"
  /// The handler is a task.
  static let asynchronous = "Asynchronous"

  /// What every service has that looks at its calls; see `Lifecycle`.
  private static var options: ServerOptions {
    ServerOptions(interceptors: [ServerMetrics(loops: 1), Timings(), CallLog()])
  }

  /// Bytes in, the same bytes out; by TLS when there is an identity.
  static func serve(on address: String, identity: TLSIdentity?) throws -> Never {
    var router = Router()
    router.synchronousBytes(service: service, method: synchronous) { request, _, respond in respond(request) }
    router.unaryBytes(service: service, method: asynchronous) { request, _ in request }
    let tls = try identity.map { try TLSServerContext(TLSServerConfiguration(identity: $0)) }
    try run(router, on: try EventLoopGroup(loops: 1), address, tls)
  }

  /// Passes the calls on as the gateway does.
  static func forward(to target: String, on address: String) throws -> Never {
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: try Target(parsing: target), group: group)
    var router = Router()
    for method in [synchronous, asynchronous] {
      router.forward(
        ForwardedMethod(service: service, method: method, type: .unary, idempotency: .unknown), to: channel)
    }
    try run(router, on: group, address)
  }

  private static func run(_ router: Router, on group: EventLoopGroup, _ address: String, _ tls: TLSServerContext? = nil)
    throws -> Never
  {
    let server = Server(group: group, router: router, options: options)
    let bound = try server.listen(on: Address(parsing: address), tls: tls)
    print("listening on \(bound)")
    fflush(nil)
    while true { pause() }
  }
}
