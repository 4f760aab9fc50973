import Glibc
import Testing

@testable import RPC

/// Certificates made for this run by Tests/Support/certificates, which says who is who.
enum TestCertificates {
  static let directory: String = {
    let directory = temporaryDirectory()
    let root = #filePath.split(separator: "/").dropLast(5).joined(separator: "/")
    let script = "/\(root)/Tests/Support/certificates"
    var arguments = [strdup(script), strdup(directory), nil]
    var environment = [strdup("PATH=/usr/bin:/bin"), nil]
    defer { for text in environment { free(text) } }
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    guard posix_spawn(&process, script, nil, nil, &arguments, &environment) == 0 else { return directory }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    return directory
  }()

  static func file(_ name: String) -> String { "\(directory)/\(name)" }

  static func identity(_ name: String) -> TLSIdentity {
    TLSIdentity(certificateFile: file("\(name).pem"), keyFile: file("\(name).key"))
  }

  static func server(
    _ name: String = "server", clientCA: String? = nil, allowed: [String] = []
  ) throws -> TLSServerContext {
    try TLSServerContext(
      TLSServerConfiguration(identity: identity(name), clientCAFile: clientCA.map(file), allowedPeers: allowed))
  }

  static func client(
    _ name: String? = nil, ca: String = "ca.pem", serverName: String? = nil
  ) throws -> TLSClientContext {
    try TLSClientContext(
      TLSClientConfiguration(caFile: file(ca), identity: name.map(identity), serverName: serverName))
  }

  /// Puts a certificate and its key in the place of another.
  static func copy(_ name: String, to identity: TLSIdentity) throws {
    let source = TestCertificates.identity(name)
    for (from, to) in [(source.certificateFile, identity.certificateFile), (source.keyFile, identity.keyFile)] {
      unlink(to)
      try #require(link(from, to) == 0)
    }
  }
}
