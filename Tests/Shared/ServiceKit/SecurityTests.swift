import EventLoop
import Messages
import RPC
import Stubs
import Testing

@testable import ServiceKit

@Suite("Security of a service", .timeLimit(.minutes(1)))
struct SecurityTests {
  @Test("the internal API answers on the Unix socket and not on TCP; other calls do on both")
  func internalAPI() async throws {
    let options = ServerOptions(interceptors: [InternalAPIGuard()])
    try await withServer(
      { router in
        TimingService(service: "x", timings: Timings()).register(in: &router)
        HealthService(services: []).register(in: &router)
      }, options: options
    ) { overUnix, server in
      let timings = Omsconnector.Internal.V1.TimingServiceMethods.getTimings
      #expect(try await overUnix.unary(timings, .init()).service == "x")
      let address = try server.listen(on: .tcp(host: "127.0.0.1", port: 0))
      let group = try EventLoopGroup(loops: 1)
      defer { group.stop() }
      let overTCP = Channel(target: Target(address), group: group)
      defer { overTCP.shutdown() }
      #expect(try await overTCP.unary(Grpc.Health.V1.HealthMethods.check, .init()).status == .serving)
      let error = await #expect(throws: RPCError.self) { try await overTCP.unary(timings, .init()) }
      #expect(error?.code == .permissionDenied)
      #expect(error?.message.contains("Unix socket") == true)
    }
  }

  @Test("refused connections are logged each, then once a second with how many there were")
  func refusals() {
    let lines = Lock<[String]>([])
    let now = Lock<UInt64>(0)
    let allowance = LogAllowance(burst: 2) { now.withLock { $0 } }
    let refused = RefusedConnections(allowance: allowance) { reason, _, count in
      lines.withLock { $0.append("\(reason) \(count)") }
    }
    let refusals: [(String, milliseconds: UInt64)] = [("a", 0), ("b", 1), ("c", 2), ("d", 3), ("e", 1001), ("f", 1002)]
    for (reason, milliseconds) in refusals {
      now.withLock { $0 = milliseconds * 1_000_000 }
      refused.report(reason, from: Peer(kind: .tcp(.tcp(host: "192.0.2.1", port: 1))))
    }
    #expect(lines.withLock { $0 } == ["a 1", "b 1", "e 3"])
  }

  @Test("one file that can't be read again does not keep the others from it")
  func reloads() {
    struct Unreadable: Error {}
    let reloads = Reloads()
    let read = Lock<[String]>([])
    reloads.add("bad") { throw Unreadable() }
    reloads.add("good") { read.withLock { $0.append("good") } }
    reloads.run()
    reloads.run()
    #expect(read.withLock { $0 } == ["good", "good"])
  }

  /// Settings of TLS that can't be used, and what the error says.
  static let bad: [(environment: [String: String], text: [String])] = [
    (["TLS_CERTIFICATE_FILE": "/c"], ["TLS_CERTIFICATE_FILE", "TLS_KEY_FILE"]),
    (["TLS_KEY_FILE": "/k"], ["TLS_CERTIFICATE_FILE", "TLS_KEY_FILE"]),
    (["TLS_CLIENT_CA_FILE": "/ca"], ["TLS_CLIENT_CA_FILE", "TLS_CERTIFICATE_FILE"]),
    (
      ["TLS_CERTIFICATE_FILE": "/c", "TLS_KEY_FILE": "/k", "TLS_ALLOWED_PEERS": "a"],
      ["TLS_ALLOWED_PEERS", "TLS_CLIENT_CA_FILE"]
    ),
    (["TLS_CERTIFICATE_FILE": "/nowhere/c", "TLS_KEY_FILE": "/k"], ["/nowhere/c", "No such file"]),
    (["TLS_CA_FILE": "/nowhere/ca"], ["/nowhere/ca", "No such file"]),
  ]

  @Test("settings of TLS that do not go together, or name no good file, are refused", arguments: bad)
  func badSettings(bad: (environment: [String: String], text: [String])) throws {
    let configuration = try Configuration(TLSSettings.all, environment: Environment(bad.environment))
    let error = #expect(throws: ConfigurationError.self) { try TLSSetup(configuration) }
    for part in bad.text { #expect(error?.description.contains(part) == true, "\(part)") }
  }

  @Test("nothing set is plain text, and the machine's own CAs have a name")
  func plain() throws {
    let nothing = try TLSSetup(try Configuration(TLSSettings.all, environment: [:]))
    #expect(nothing.server == nil && nothing.client == nil)
    let usual = try TLSSetup(try Configuration(TLSSettings.all, environment: ["TLS_CA_FILE": "system"]))
    #expect(usual.client != nil)
  }

  @Test(
    "a certificate's end is told of two weeks before",
    arguments: [(15, nil), (13, "within 14 days"), (1, "within 2 days"), (0, "has expired"), (-5, "has expired")])
  func expiry(days: Int64, text: String?) {
    let warning = TLSSetup.warning(expiry: 1_000_000_000 + days * 86_400, now: 1_000_000_000)
    #expect(text == nil ? warning == nil : warning?.contains(text ?? "") == true)
  }

  @Test("names in a list lose their blanks; an empty one is refused")
  func names() throws {
    let setting = Setting.names("NAMES", "names")
    #expect(try setting.parse("a.example, spiffe://b/c") == ["a.example", "spiffe://b/c"])
    #expect(throws: SettingError.self) { try setting.parse("a,,b") }
  }
}
