import RPC
import ServiceKit
import Testing

@testable import Gateway

@Suite("Who may call the gateway")
struct GatewayAccessTests {
  private static let loopback = Address.tcp(host: "127.0.0.1", port: 1)
  private static let everywhere = Address.tcp(host: "0.0.0.0", port: 2)
  private static let socket = Address.unix(path: "/s")

  struct Case: Sendable {
    var tokensFile: String?
    var isInsecure = false
    var requiresCertificates = false
    var addresses = [socket, loopback]
    let access: GatewayAccess
  }

  static let cases = [
    Case(tokensFile: "/t", access: .tokens(file: "/t")),
    Case(tokensFile: "/t", requiresCertificates: true, access: .tokens(file: "/t")),
    Case(isInsecure: true, access: .everybody(exposed: [])),
    Case(isInsecure: true, addresses: [loopback, everywhere], access: .everybody(exposed: ["0.0.0.0:2"])),
    Case(requiresCertificates: true, access: .certificates), Case(addresses: [socket], access: .none),
  ]

  @Test("tokens, certificates or everybody: as the settings say", arguments: cases)
  func decides(_ given: Case) throws {
    let access = try GatewayAccess(
      tokensFile: given.tokensFile, isInsecure: given.isInsecure, requiresCertificates: given.requiresCertificates,
      addresses: given.addresses)
    #expect(access == given.access)
  }

  @Test("with nothing said the gateway refuses to start, and says what to set")
  func refuses() {
    let error = #expect(throws: ConfigurationError.self) {
      try GatewayAccess(
        tokensFile: nil, isInsecure: false, requiresCertificates: false, addresses: [Self.socket, Self.loopback])
    }
    for part in ["127.0.0.1:1", "GATEWAY_TOKENS_FILE", "GATEWAY_INSECURE=1", "TLS_CLIENT_CA_FILE"] {
      #expect(error?.description.contains(part) == true, "\(part)")
    }
  }

  @Test(
    "addresses that others reach are told from the machine's own",
    arguments: [
      ("127.0.0.1:1", true), ("127.1.2.3:1", true), ("localhost:1", true), ("[::1]:1", true), ("unix:/s", true),
      ("0.0.0.0:1", false), ("[::]:1", false), ("127.example.org:1", false), ("127.0.0.1.example:1", false),
      ("gateway:1", false), ("10.0.0.1:1", false),
    ])
  func reach(text: String, isLoopback: Bool) throws {
    #expect(try Address(parsing: text).isLoopback == isLoopback)
  }

  @Test("tokens and everybody exclude each other")
  func both() {
    #expect(throws: ConfigurationError.self) {
      try GatewayAccess(tokensFile: "/t", isInsecure: true, requiresCertificates: false, addresses: [Self.loopback])
    }
  }
}
