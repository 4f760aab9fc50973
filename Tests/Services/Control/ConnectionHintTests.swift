import Testing

@testable import Control

@Suite("Hints of omsctl")
struct ConnectionHintTests {
  static let cases: [(reason: String, hasTLS: Bool, option: String)] = [
    ("127.0.0.1:1: Connection refused", false, "--gateway"),
    ("127.0.0.1:1: Connection refused", true, "--gateway"),
    ("127.0.0.1:1: the peer closed the connection", false, "--ca-file"),
    ("127.0.0.1:1: the peer closed the connection", true, "--gateway"),
    ("127.0.0.1:1: TLS: the peer's certificate is not accepted: hostname mismatch", true, "--ca-file"),
    ("127.0.0.1:1: TLS: tlsv13 alert certificate required", true, "--certificate-file"),
    ("127.0.0.1:1: TLS: sslv3 alert handshake failure", true, "its log says why"),
    ("127.0.0.1:1: TLS: wrong version number", true, "leave out --ca-file"),
  ]

  @Test("a connection that fails is told with the option that helps", arguments: cases)
  func noConnection(reason: String, hasTLS: Bool, option: String) {
    #expect(ConnectionHint.text(noConnection: reason, hasTLS: hasTLS).contains(option))
  }

  @Test(
    "a Unix socket that is for others is told apart from one that nobody serves",
    arguments: [
      ("unix:/x: Permission denied", "added to that group"),
      ("unix:/x: the peer closed the connection", "added to that group"), ("unix:/x: Connection refused", "--gateway"),
    ])
  func unixSocket(reason: String, hint: String) {
    #expect(ConnectionHint.text(noConnection: reason, hasTLS: false, isUnix: true).contains(hint))
  }

  @Test("a call that the gateway takes for nobody's is told where tokens come from", arguments: [true, false])
  func token(hasToken: Bool) {
    #expect(ConnectionHint.text(hasToken: hasToken).contains("--token-file or OMSCTL_TOKEN"))
  }
}
