import CTLS
import EventLoop
import Glibc

/// TLS on one connected, non-blocking socket: what the loop asks for happens at once or is said to have to wait. Lives on one
/// thread; the socket is the caller's to close.
final class TLSSession {
  /// How a read or a write went.
  enum Outcome: Equatable {
    /// So many were read, or taken for sending.
    case bytes(Int)
    /// Nothing, until the socket is readable.
    case wantsRead
    /// Nothing, until the socket is writable. A read says so as well: it may have to answer a key update first.
    case wantsWrite
    /// The peer has said that it sends no more.
    case closed
    /// The connection is of no use any more: why, for logs.
    case failed(String)
  }

  enum Handshake: Equatable {
    case done, wantsRead, wantsWrite
    case failed(String)
  }

  private let context: TLSContext
  let session: OpaquePointer
  private let socket: UnsafeMutablePointer<ctls_socket>
  private(set) var isEstablished = false
  private var hasFailed = false
  /// What ended the connection behind bytes that had to be handed out first.
  private var end: Outcome?
  /// Whether an established session has a verified certificate of the peer.
  var requiresPeerCertificate: Bool { context.requiresPeerCertificate }
  /// Names of the peer's verified certificate; empty when it shows none. Known once the session is established.
  private(set) var peerNames: [String] = []

  // Immutable once made.
  nonisolated(unsafe) private static let socketMethod: OpaquePointer = {
    // Fails only without memory.
    guard let method = ctls_make_socket_method() else { fatalError("out of memory") }
    return method
  }()

  /// - Parameter serverName: for clients, what the server's certificate has to be for: a DNS name or an IP address.
  init(_ context: TLSContext, descriptor: Int32, serverName: String? = nil) {
    self.context = context
    socket = .allocate(capacity: 1)
    socket.initialize(
      to: ctls_socket(descriptor: descriptor, error: 0, allowance: .max, is_drained: false, has_ended: false))
    guard let session = SSL_new(context.context), let bio = ctls_make_socket_bio(TLSSession.socketMethod, socket) else {
      fatalError("out of memory")
    }
    self.session = session
    SSL_set_bio(session, bio, bio)
    SSL_set_ex_data(session, 0, Unmanaged.passUnretained(context).toOpaque())
    switch context.role {
    case .server: SSL_set_accept_state(session)
    case .client:
      SSL_set_connect_state(session)
      expect(serverName ?? "")
    }
  }

  deinit {
    SSL_free(session)
    socket.deallocate()
  }

  /// An IP address is no server name in the handshake (RFC 6066 §3), but certificates may be for one.
  private func expect(_ name: String) {
    let parameters = SSL_get0_param(session)
    X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
    if X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 { return }
    TLSErrorQueue.prepare()
    // An empty name would switch the check off.
    SSL_set1_host(session, name.isEmpty ? "invalid." : name)
    _ = ctls_set_server_name(session, name)
  }

  // MARK: Handshake

  /// Goes on with it; to be called until it is done or has failed.
  func handshake() -> Handshake {
    TLSErrorQueue.prepare()
    let result = SSL_do_handshake(session)
    if result == 1 { return finishHandshake() }
    switch SSL_get_error(session, result) {
    case SSL_ERROR_WANT_READ: return .wantsRead
    case SSL_ERROR_WANT_WRITE: return .wantsWrite
    case let error:
      hasFailed = true
      return .failed(handshakeFailure(error))
    }
  }

  private func finishHandshake() -> Handshake {
    var chosen: UnsafePointer<UInt8>?
    var length: UInt32 = 0
    SSL_get0_alpn_selected(session, &chosen, &length)
    guard length == 2, let chosen, chosen[0] == 0x68, chosen[1] == 0x32 else {
      hasFailed = true
      return .failed(TLSSession.noHTTP2)
    }
    if let certificate = ctls_peer_certificate(session) { peerNames = PeerNames(of: certificate).names }
    isEstablished = true
    return .done
  }

  private static let noHTTP2 = "TLS: the peer does not offer HTTP/2 (ALPN h2)"

  private func handshakeFailure(_ error: Int32) -> String {
    guard error == SSL_ERROR_SSL else { return failure(error, "during the handshake") }
    let (code, reason) = TLSErrorQueue.take()
    switch code {
    case SSL_R_CALLBACK_FAILED, SSL_R_NO_APPLICATION_PROTOCOL: return TLSSession.noHTTP2
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "TLS: the client shows no certificate, and has to"
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: return "TLS: the peer closed the connection during the handshake"
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      let result = SSL_get_verify_result(session)
      if result == Int(X509_V_ERR_APPLICATION_VERIFICATION) {
        return "TLS: the peer's certificate is good, but none of its names is on the list of those that are let in"
      }
      let verdict = String(cString: X509_verify_cert_error_string(result))
      return "TLS: the peer's certificate is not accepted: \(verdict)"
    default: return "TLS: \(reason)"
    }
  }

  // MARK: Data

  /// The least that a buffer to read into has to hold.
  static let smallestBuffer = 2 * openSSLBuffer
  /// What OpenSSL holds of the socket's bytes at most: a record with its header, authentication tag and alignment.
  private static let openSSLBuffer = 17 << 10

  /// Reads what is there and fits into `buffer`, which has to hold `smallestBuffer` bytes.
  ///
  /// Takes no more from the socket than the buffer has room for, so that nothing but a part of a record stays in OpenSSL:
  /// epoll, which knows the socket only, tells when there is more. That also bounds what records without data, such as key
  /// updates, can keep one read busy with.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
    let outcome = end ?? readRecords(into: buffer)
    readWantsWrite = outcome == .wantsWrite
    return outcome
  }

  private func readRecords(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
    precondition(buffer.count >= TLSSession.smallestBuffer)
    // Safe: it is not empty.
    let base = buffer.baseAddress.unsafelyUnwrapped
    socket.pointee.is_drained = false
    socket.pointee.allowance = buffer.count - TLSSession.openSSLBuffer
    var total = 0
    while total < buffer.count {
      var count = 0
      TLSErrorQueue.prepare()
      let result = SSL_read_ex(session, base + total, buffer.count - total, &count)
      if result == 1 {
        total += count
        // Nothing more in memory means that the socket has been asked already.
        if SSL_has_pending(session) == 0 { break }
        continue
      }
      let outcome = outcome(SSL_get_error(session, result))
      // There were only records without data.
      if outcome == .wantsRead, !socket.pointee.is_drained { continue }
      guard total > 0 else { return outcome }
      switch outcome {
      case .closed, .failed: end = outcome
      default: break
      }
      break
    }
    return .bytes(total)
  }

  /// Whether the last read has something to send before it can go on.
  private(set) var readWantsWrite = false

  /// Whether the connection has ended behind what the last read gave: the next one says how, and the socket may be silent.
  var hasEnded: Bool { end != nil }

  /// Sends bytes, of which there has to be one at least. After `wantsWrite` or `wantsRead` the next write has to begin with
  /// the same bytes and be no shorter.
  /// - Returns: how many it has taken: a record's worth, 16 KiB, at most.
  func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
    var count = 0
    TLSErrorQueue.prepare()
    let result = SSL_write_ex(session, bytes.baseAddress, bytes.count, &count)
    return result == 1 ? .bytes(count) : outcome(SSL_get_error(session, result))
  }

  /// Tells the peer that nothing more comes (close_notify), if the socket takes it.
  func shutdown() {
    // After a failure OpenSSL allows nothing more on the session.
    guard isEstablished, !hasFailed else { return }
    TLSErrorQueue.prepare()
    SSL_shutdown(session)
  }

  private func outcome(_ error: Int32) -> Outcome {
    switch error {
    case SSL_ERROR_WANT_READ: return .wantsRead
    case SSL_ERROR_WANT_WRITE: return .wantsWrite
    case SSL_ERROR_ZERO_RETURN: return .closed
    default:
      hasFailed = true
      return .failed(failure(error, "and may have cut off what it had to say"))
    }
  }

  private func failure(_ error: Int32, _ moment: String) -> String {
    if error == SSL_ERROR_SYSCALL, socket.pointee.error != 0 {
      return "the connection broke: \(SystemError("recv", errno: socket.pointee.error).reason)"
    }
    let (code, reason) = TLSErrorQueue.take()
    if code == SSL_R_UNEXPECTED_EOF_WHILE_READING || socket.pointee.has_ended {
      return "TLS: the peer closed the connection without saying so, \(moment)"
    }
    return "TLS: \(reason)"
  }
}
