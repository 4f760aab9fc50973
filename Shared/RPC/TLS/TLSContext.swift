import CTLS
import EventLoop
import Glibc

/// What the sessions of one side have in common: versions, suites, certificates, whom to trust. Never changes; a reload makes
/// another one, and sessions keep theirs.
///
/// Sendable: OpenSSL counts the context's references atomically, and nothing here is changed once it is made.
final class TLSContext: @unchecked Sendable {
  enum Role { case server, client }

  let role: Role
  let context: OpaquePointer
  /// Names of peers that are let in; empty for every peer whose certificate is good.
  let allowedPeers: PeerNames
  /// Whether the peer has to show a certificate.
  let requiresPeerCertificate: Bool

  /// Suites of TLS 1.2: ephemeral keys and AEAD, which is what RFC 9113 §9.2.2 leaves. Those of 1.3 all are.
  private static let oldSuites = "ECDHE+AESGCM:ECDHE+CHACHA20"

  /// - Parameter trust: PEM file of the CAs that sign the peers' certificates; nil for the system's on a client, and for no
  ///   client certificates on a server.
  /// - Parameter verifiesPeer: false for a client that takes any server.
  init(
    _ role: Role, identity: TLSIdentity?, trust: String?, allowedPeers: PeerNames, verifiesPeer: Bool = true
  ) throws(TLSError) {
    TLSErrorQueue.prepare()
    guard let context = SSL_CTX_new(role == .server ? TLS_server_method() : TLS_client_method()) else {
      throw TLSError("TLS", TLSErrorQueue.take().reason, remedy: "check that OpenSSL 3 is installed")
    }
    self.role = role
    self.context = context
    self.allowedPeers = allowedPeers
    requiresPeerCertificate = verifiesPeer && (role == .client || trust != nil)
    try configure()
    if let identity { try loadAlone(identity) }
    if let trust { try load(trust: trust) } else if role == .client { SSL_CTX_set_default_verify_paths(context) }
    if requiresPeerCertificate {
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT) { isGood, store in
        TLSContext.verify(isGood: isGood, store)
      }
    }
  }

  deinit { SSL_CTX_free(context) }

  private func configure() throws(TLSError) {
    SSL_CTX_set_security_level(context, 2)
    guard ctls_set_oldest_version(context, TLS1_2_VERSION) == 1, ctls_set_newest_version(context, TLS1_3_VERSION) == 1,
      SSL_CTX_set_cipher_list(context, TLSContext.oldSuites) == 1
    else { throw TLSError("TLS", TLSErrorQueue.take().reason, remedy: "check OpenSSL's configuration (openssl.cnf)") }
    // No renegotiation, no compression (RFC 9113 §9.2.1). Nothing is resumed: connections live long, a ticket's key would
    // undo the forward secrecy of TLS 1.2, and a client whose certificate is not wanted any more must not come back on an
    // old session.
    ctls_set_safe_options(context)
    SSL_CTX_set_num_tickets(context, 0)
    ctls_forget_sessions(context)
    // What the socket does not take is kept by the caller and may move in memory. Idle connections, of which there may be
    // many, hold no buffers. One read of the socket takes what is there, not a record's header and then its body.
    ctls_set_modes(
      context, Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS))
    ctls_read_ahead(context)
    // Else a peer that sends key updates for ever would keep SSL_read from returning.
    ctls_clear_modes(context, Int(SSL_MODE_AUTO_RETRY))
    // A key with a pass phrase: without this OpenSSL asks for it on the terminal.
    SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in 0 }
    switch role {
    case .server: requireHTTP2()
    case .client: SSL_CTX_set_alpn_protos(context, TLSContext.alpn, UInt32(TLSContext.alpn.count))
    }
  }

  /// One thread at a time: OpenSSL 3.0's decoders of keys, set up by two at once, now and then know no format
  /// ("unsupported").
  private static let loading = Lock(())

  private func loadAlone(_ identity: TLSIdentity) throws(TLSError) {
    let problem = TLSContext.loading.withLock { _ in
      do throws(TLSError) {
        try load(identity)
        return TLSError?.none
      } catch {
        return error
      }
    }
    if let problem { throw problem }
  }

  private func load(_ identity: TLSIdentity) throws(TLSError) {
    guard SSL_CTX_use_certificate_chain_file(context, identity.certificateFile) == 1 else {
      throw TLSError(
        "TLS certificate \(identity.certificateFile)", TLSErrorQueue.take().reason,
        remedy: "name a PEM file that this user can read: the certificate, then those that lead to its CA")
    }
    guard SSL_CTX_use_PrivateKey_file(context, identity.keyFile, SSL_FILETYPE_PEM) == 1 else {
      let (code, reason) = TLSErrorQueue.take()
      throw TLSError(
        "TLS key \(identity.keyFile)", reason,
        remedy: code == X509_R_KEY_VALUES_MISMATCH
          ? "it is not the key of the certificate \(identity.certificateFile)"
          : "name a PEM file with a private key, without a pass phrase, that this user can read")
    }
    guard SSL_CTX_check_private_key(context) == 1 else {
      throw TLSError(
        "TLS key \(identity.keyFile)", TLSErrorQueue.take().reason,
        remedy: "name the key of the certificate \(identity.certificateFile)")
    }
  }

  /// When the own certificate ends, in seconds of Unix time; nil without one.
  var expiry: Int64? {
    guard let certificate = SSL_CTX_get0_certificate(context) else { return nil }
    var time = tm()
    guard ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) == 1 else { return nil }
    return Int64(timegm(&time))
  }

  private func load(trust file: String) throws(TLSError) {
    guard SSL_CTX_load_verify_file(context, file) == 1 else {
      throw TLSError(
        "TLS CA \(file)", TLSErrorQueue.take().reason,
        remedy: "name a PEM file that this user can read: the certificates of the CAs to trust")
    }
    // Tells clients which of their certificates to show.
    if role == .server, let names = SSL_load_client_CA_file(file) { SSL_CTX_set_client_CA_list(context, names) }
  }

  // MARK: ALPN (RFC 7301, RFC 9113 §3.2)

  /// `h2` in ALPN's list format.
  private static let alpn: [UInt8] = [2, 0x68, 0x32]

  private func requireHTTP2() {
    // Not asked when the client offers no protocol at all.
    SSL_CTX_set_alpn_select_cb(
      context,
      { _, chosen, length, offered, offeredLength, _ in
        guard let chosen, let length, let offered else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        var offset = 0
        while offset < Int(offeredLength) {
          let count = Int(offered[offset])
          guard offset + 1 + count <= Int(offeredLength) else { break }
          if count == 2, offered[offset + 1] == 0x68, offered[offset + 2] == 0x32 {
            chosen.pointee = offered + offset + 1
            length.pointee = 2
            return SSL_TLSEXT_ERR_OK
          }
          offset += 1 + count
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
      }, nil)
    SSL_CTX_set_client_hello_cb(
      context,
      { session, alert, _ in
        var bytes: UnsafePointer<UInt8>?
        var count = 0
        let alpnExtension = UInt32(TLSEXT_TYPE_application_layer_protocol_negotiation)
        guard SSL_client_hello_get0_ext(session, alpnExtension, &bytes, &count) == 1 else {
          alert?.pointee = SSL_AD_NO_APPLICATION_PROTOCOL
          return SSL_CLIENT_HELLO_ERROR
        }
        return SSL_CLIENT_HELLO_SUCCESS
      }, nil)
  }

  // MARK: The peer's certificate

  /// Called for every certificate of the chain, the peer's own last: that one's name has to be on the list.
  private static func verify(isGood: Int32, _ store: OpaquePointer?) -> Int32 {
    guard isGood == 1, let store, X509_STORE_CTX_get_error_depth(store) == 0,
      let session = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
      let pointer = SSL_get_ex_data(OpaquePointer(session), 0),
      let certificate = X509_STORE_CTX_get_current_cert(store)
    else { return isGood }
    let context = Unmanaged<TLSContext>.fromOpaque(pointer).takeUnretainedValue()
    guard !context.allowedPeers.isEmpty else { return isGood }
    guard context.allowedPeers.contains(anyOf: PeerNames(of: certificate)) else {
      X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
      return 0
    }
    return isGood
  }
}
