import EventLoop
import Glibc
import Messages
import RPC
import Synchronization
import TestSupport
import Testing

/// A server and a channel to it, over a real socket, on loops of their own.
struct TestServer {
  let group: EventLoopGroup
  let server: Server
  let address: Address
  let channel: Channel

  enum Transport: CaseIterable, Sendable { case unix, tcp, tls }

  static func start(
    _ transport: Transport = .unix, group: EventLoopGroup? = nil, options: ServerOptions = ServerOptions(),
    _ build: (inout Router) -> Void
  ) throws -> TestServer {
    let group = try group ?? EventLoopGroup(loops: 2)
    var router = Router()
    build(&router)
    let server = Server(group: group, router: router, options: options)
    var channelOptions = ChannelOptions()
    if transport == .tls { channelOptions.tls = try TestCertificates.client() }
    let address =
      switch transport {
      case .unix: try server.listen(on: .unix(path: temporaryDirectory() + "/s"))
      case .tcp: try server.listen(on: .tcp(host: "127.0.0.1", port: 0))
      case .tls: try server.listen(on: .tcp(host: "127.0.0.1", port: 0), tls: try TestCertificates.server())
      }
    return TestServer(
      group: group, server: server, address: address,
      channel: Channel(target: Target(address), group: group, options: channelOptions))
  }

  func stop() async {
    channel.shutdown()
    await server.shutdown(grace: .seconds(5))
    group.stop()
  }
}

/// A new folder, gone with the process.
func temporaryDirectory() -> String {
  var template = Array("\(temporaryRoot)/XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { return temporaryRoot }
  return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}

private let temporaryRoot: String = {
  var template = Array("/tmp/rpc-test-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { return "/tmp" }
  atexit { removeTree(temporaryRoot) }
  return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}()

typealias Request = Omsconnector.V1.GetStockRequest
typealias Response = Omsconnector.V1.GetStockRequest

/// Methods of a service that exists in the tests only: both messages are a pair of strings.
enum TestMethods {
  static let unary = MethodDescriptor<Request, Response>(service: "test.Test", method: "Unary", type: .unary)
  static let idempotent = MethodDescriptor<Request, Response>(
    service: "test.Test", method: "Idempotent", type: .unary, idempotency: .idempotent)
  static let upload = MethodDescriptor<Request, Response>(
    service: "test.Test", method: "Upload", type: .clientStreaming)
  static let download = MethodDescriptor<Request, Response>(
    service: "test.Test", method: "Download", type: .serverStreaming)
  static let chat = MethodDescriptor<Request, Response>(service: "test.Test", method: "Chat", type: .bidirectional)
}

/// Runs `body` and returns the RPC error that it ends with.
func rpcError(_ body: () async throws -> some Sendable) async -> RPCError? {
  do {
    _ = try await body()
    return nil
  } catch {
    return error as? RPCError
  }
}

/// Something that is waited for, rather than slept for.
actor Event {
  private(set) var isSet = false
  private var waiters: [CheckedContinuation<Void, Never>] = []

  func set() {
    isSet = true
    for waiter in waiters { waiter.resume() }
    waiters = []
  }

  func wait() async {
    if isSet { return }
    await withCheckedContinuation { waiters.append($0) }
  }
}

/// A count that many tasks change.
final class Counter: Sendable {
  private let count = Atomic<Int>(0)
  var value: Int { count.load(ordering: .relaxed) }
  func increment() { count.wrappingAdd(1, ordering: .relaxed) }
}
