import CTLS
import Glibc
import Testing

@testable import RPC

@Suite("TLS handshake")
struct TLSHandshakeTests {
  static let versions = [TLS1_2_VERSION, TLS1_3_VERSION]

  @Test("both versions of TLS agree on HTTP/2", arguments: versions)
  func agrees(version: Int32) throws {
    let pair = SessionPair(
      server: try TestCertificates.server().current.only(version), client: try TestCertificates.client().current)
    let result = pair.handshake()
    #expect(result.client == .done && result.server == .done)
    #expect(pair.server.peerNames.isEmpty)
    #expect(pair.client.peerNames == ["localhost"])
  }

  @Test("versions before 1.2 are refused", arguments: [TLS1_VERSION, TLS1_1_VERSION])
  func oldVersions(version: Int32) throws {
    let client = try TestCertificates.client().current
    SSL_CTX_set_security_level(client.context, 0)
    SSL_CTX_set_cipher_list(client.context, "ALL@SECLEVEL=0")
    let result = SessionPair(server: try TestCertificates.server().current, client: client.only(version)).handshake()
    #expect(result.server.failure?.contains("unsupported protocol") == true)
  }

  @Test("suites that HTTP/2 forbids are refused", arguments: ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256"])
  func badSuites(suite: String) throws {
    let client = try TestCertificates.client().current.only(TLS1_2_VERSION)
    #expect(SSL_CTX_set_cipher_list(client.context, suite) == 1)
    let result = SessionPair(server: try TestCertificates.server().current, client: client).handshake()
    #expect(result.server.failure?.contains("no shared cipher") == true)
  }

  @Test(
    "a client without ALPN, or with another protocol, is refused", arguments: versions,
    [[], Array("\u{8}http/1.1".utf8)])
  func alpn(version: Int32, protocols: [UInt8]) throws {
    let client = try TestCertificates.client().current.only(version)
    SSL_CTX_set_alpn_protos(client.context, protocols, UInt32(protocols.count))
    let result = SessionPair(server: try TestCertificates.server().current, client: client).handshake()
    #expect(result.server.failure?.contains("ALPN h2") == true)
    #expect(result.client.failure?.contains("no application protocol") == true)
  }

  @Test("a server that ignores ALPN is refused")
  func serverWithoutALPN() throws {
    let server = try TestCertificates.server().current
    SSL_CTX_set_alpn_select_cb(server.context, { _, _, _, _, _, _ in SSL_TLSEXT_ERR_NOACK }, nil)
    let result = SessionPair(server: server, client: try TestCertificates.client().current).handshake()
    #expect(result.client.failure?.contains("ALPN h2") == true)
  }

  /// What the client is told of the server's certificate.
  static let badServers: [(certificate: String, ca: String, name: String, verdict: String)] = [
    ("server", "other-ca.pem", "localhost", "unable to get local issuer certificate"),
    ("expired", "ca.pem", "localhost", "certificate has expired"),
    ("server", "ca.pem", "server.example", "hostname mismatch"),
    ("named", "ca.pem", "127.0.0.1", "IP address mismatch"),
    ("server", "ca.pem", "", "hostname mismatch"),
  ]

  @Test("a server whose certificate is not good is refused, in both versions", arguments: badServers, versions)
  func badServer(
    server: (certificate: String, ca: String, name: String, verdict: String), version: Int32
  ) throws {
    let pair = SessionPair(
      server: try TestCertificates.server(server.certificate).current.only(version),
      client: try TestCertificates.client(ca: server.ca).current, serverName: server.name)
    #expect(pair.handshake().client.failure?.contains(server.verdict) == true)
  }

  @Test("a server's name may be an IP address")
  func address() throws {
    let pair = SessionPair(
      server: try TestCertificates.server().current, client: try TestCertificates.client().current,
      serverName: "127.0.0.1")
    #expect(pair.handshake().client == .done)
  }

  /// Which client certificates a server lets in that asks for one; nil is let in.
  static let clients: [(certificate: String?, allowed: [String], refusal: String?)] = [
    ("client", [], nil), ("plain", [], nil),
    ("client", ["client.example"], nil), ("client", ["other.example", "CLIENT.example"], nil),
    ("client", ["spiffe://example.org/client"], nil), ("plain", ["plain.example"], nil),
    ("client", ["spiffe://example.org/CLIENT"], "on the list"), ("client", ["client"], "on the list"),
    ("plain", ["client.example"], "on the list"),
    // Its common name would do, but does not count beside the alternative one.
    ("tricky", ["client.example"], "on the list"),
    ("foreign", ["client.example"], "issuer certificate"), ("expired", [], "expired"), (nil, [], "no certificate"),
  ]

  @Test("mutual TLS lets in whom the CA vouches for and the list names", arguments: clients, versions)
  func clientCertificates(
    client: (certificate: String?, allowed: [String], refusal: String?), version: Int32
  ) throws {
    let pair = SessionPair(
      server: try TestCertificates.server(clientCA: "ca.pem", allowed: client.allowed).current.only(version),
      client: try TestCertificates.client(client.certificate).current)
    let result = pair.handshake()
    if let refusal = client.refusal {
      #expect(result.server.failure?.contains(refusal) == true)
    } else {
      #expect(result.server == .done)
      #expect(!pair.server.peerNames.isEmpty)
    }
  }

  @Test("a handshake that arrives byte by byte succeeds", arguments: versions)
  func byteByByte(version: Int32) throws {
    // Between the two sessions: what one sends reaches the other a byte at a time.
    let (atClient, towardsClient) = SessionPair.sockets()
    let (atServer, towardsServer) = SessionPair.sockets()
    defer { for socket in [atClient, towardsClient, atServer, towardsServer] { close(socket) } }
    let client = TLSSession(
      try TestCertificates.client().current.only(version), descriptor: atClient, serverName: "localhost")
    let server = TLSSession(try TestCertificates.server().current, descriptor: atServer)
    var (clientState, serverState) = (client.handshake(), server.handshake())
    var byte: UInt8 = 0
    for _ in 0..<20_000 where clientState.goesOn || serverState.goesOn {
      if recv(towardsClient, &byte, 1, 0) == 1 {
        send(towardsServer, &byte, 1, Int32(MSG_NOSIGNAL))
        if serverState.goesOn { serverState = server.handshake() }
      }
      if recv(towardsServer, &byte, 1, 0) == 1 {
        send(towardsClient, &byte, 1, Int32(MSG_NOSIGNAL))
        if clientState.goesOn { clientState = client.handshake() }
      }
    }
    #expect(clientState == .done && serverState == .done)
  }

  @Test(
    "a peer that speaks no TLS is refused",
    arguments: ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"])
  func plainText(text: String) throws {
    let (peer, own) = SessionPair.sockets()
    defer { for socket in [peer, own] { close(socket) } }
    let bytes = Array(text.utf8)
    send(peer, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    let session = TLSSession(try TestCertificates.server().current, descriptor: own)
    #expect(session.handshake().failure != nil)
  }

  @Test("a peer that closes during the handshake is told from one that fails")
  func closes() throws {
    let (peer, own) = SessionPair.sockets()
    defer { close(own) }
    close(peer)
    let session = TLSSession(try TestCertificates.server().current, descriptor: own)
    #expect(session.handshake() == .failed("TLS: the peer closed the connection during the handshake"))
  }

  @Test("an error of one session does not reach another on the same thread")
  func errorsStayApart() throws {
    let pair = SessionPair(server: try TestCertificates.server().current, client: try TestCertificates.client().current)
    #expect(pair.client.handshake() == .wantsRead)
    try plainText(text: "GET / HTTP/1.1\r\n\r\n")
    ERR_raise_for_test()
    let result = pair.handshake()
    #expect(result.client == .done && result.server == .done)
  }

  /// Leaves an error in OpenSSL's queue, as code that does not clean up behind itself would.
  private func ERR_raise_for_test() {
    _ = SSL_CTX_new(nil)
    #expect(ERR_peek_error() != 0)
  }
}
