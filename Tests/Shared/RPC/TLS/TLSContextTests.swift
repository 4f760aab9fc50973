import Glibc
import Testing

@testable import RPC

@Suite("TLS files")
struct TLSContextTests {
  /// Certificate, key and client CA that can't be used, and what the error says.
  static let bad: [(certificate: String, key: String, ca: String?, text: [String])] = [
    ("missing.pem", "server.key", nil, ["TLS certificate", "missing.pem", "No such file"]),
    ("server.key", "server.key", nil, ["TLS certificate", "server.key", "no start line"]),
    ("server.pem", "missing.key", nil, ["TLS key", "missing.key", "No such file"]),
    ("server.pem", "locked.key", nil, ["TLS key", "locked.key", "without a pass phrase"]),
    ("server.pem", "client.key", nil, ["TLS key", "client.key", "server.pem"]),
    ("server.pem", "server.key", "missing.pem", ["TLS CA", "missing.pem", "No such file"]),
    ("server.pem", "server.key", "server.key", ["TLS CA", "server.key"]),
  ]

  @Test("a file that can't be used is named, with the reason and what to do", arguments: bad)
  func badFiles(_ bad: (certificate: String, key: String, ca: String?, text: [String])) {
    let error = #expect(throws: TLSError.self) {
      try TLSServerContext(
        TLSServerConfiguration(
          identity: TLSIdentity(
            certificateFile: TestCertificates.file(bad.certificate), keyFile: TestCertificates.file(bad.key)),
          clientCAFile: bad.ca.map(TestCertificates.file)))
    }
    for part in bad.text { #expect("\(String(describing: error))".contains(part)) }
  }

  @Test("a list of peers without a CA that vouches for them is refused")
  func peersWithoutCA() {
    #expect(throws: TLSError.self) { try TestCertificates.server(allowed: ["client.example"]) }
  }

  @Test("a server knows when its certificate ends", arguments: [("server", 2), ("expired", -1)])
  func expiry(certificate: String, days: Int64) throws {
    let expiry = try #require(try TestCertificates.server(certificate).certificateExpiry)
    #expect(abs(expiry - Int64(time(nil)) - days * 86_400) < 3600)
  }

  @Test("a reload serves new connections; a bad file leaves what was there")
  func reload() throws {
    let directory = temporaryDirectory()
    let identity = TLSIdentity(certificateFile: directory + "/c.pem", keyFile: directory + "/c.key")
    try TestCertificates.copy("server", to: identity)
    let server = try TLSServerContext(TLSServerConfiguration(identity: identity))
    let client = try TestCertificates.client()
    let before = SessionPair(server: server.current, client: client.current)
    #expect(before.handshake().client == .done)

    try TestCertificates.copy("named", to: identity)
    try server.reload()
    #expect(SessionPair(server: server.current, client: client.current).handshake().client.failure != nil)
    let after = SessionPair(server: server.current, client: client.current, serverName: "server.example")
    #expect(after.handshake().client == .done)
    // The connection of before goes on.
    #expect(before.client.send([1]) == .bytes(1))
    #expect(before.server.receive().bytes == [1])

    unlink(identity.keyFile)
    #expect(throws: TLSError.self) { try server.reload() }
    let kept = SessionPair(server: server.current, client: client.current, serverName: "server.example")
    #expect(kept.handshake().client == .done)
  }
}
