import CTLS
import Glibc

@testable import RPC

/// A client and a server session over a socket pair, on this thread.
final class SessionPair {
  let client: TLSSession
  let server: TLSSession
  let clientSocket: Int32
  let serverSocket: Int32

  init(server: TLSContext, client: TLSContext, serverName: String = "localhost") {
    let sockets = SessionPair.sockets()
    (clientSocket, serverSocket) = (sockets.0, sockets.1)
    self.server = TLSSession(server, descriptor: serverSocket)
    self.client = TLSSession(client, descriptor: clientSocket, serverName: serverName)
  }

  deinit {
    close(clientSocket)
    close(serverSocket)
  }

  static func sockets() -> (Int32, Int32) {
    var pair: [Int32] = [-1, -1]
    socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair)
    return (pair[0], pair[1])
  }

  /// Until both have come to an end. (A client of TLS 1.3 is done before the server has seen its certificate.)
  func handshake() -> (client: TLSSession.Handshake, server: TLSSession.Handshake) {
    var (atClient, atServer) = (TLSSession.Handshake.wantsRead, TLSSession.Handshake.wantsRead)
    for _ in 0..<20 {
      if atClient.goesOn { atClient = client.handshake() }
      if atServer.goesOn { atServer = server.handshake() }
      if !atClient.goesOn, !atServer.goesOn { break }
    }
    return (atClient, atServer)
  }
}

extension TLSSession.Handshake {
  var goesOn: Bool { self == .wantsRead || self == .wantsWrite }

  var failure: String? { if case .failed(let reason) = self { reason } else { nil } }
}

extension TLSSession {
  func send(_ bytes: [UInt8]) -> Outcome { bytes.withUnsafeBytes { write($0) } }

  func receive(limit: Int = 65_536) -> (outcome: Outcome, bytes: [UInt8]) {
    var buffer = [UInt8](repeating: 0, count: limit)
    let outcome = buffer.withUnsafeMutableBytes { read(into: $0) }
    guard case .bytes(let count) = outcome else { return (outcome, []) }
    return (outcome, Array(buffer[..<count]))
  }
}

extension TLSContext {
  /// The same, but for one version of TLS only.
  func only(_ version: Int32) -> TLSContext {
    _ = ctls_set_oldest_version(context, version)
    _ = ctls_set_newest_version(context, version)
    return self
  }
}
