/// What to do when no connection to the gateway comes about, or it does not take what it is shown: which option helps.
enum ConnectionHint {
  /// Ends of TLS, in the words of OpenSSL and of this side, and what they call for.
  private static let tls: [(reason: String, hint: String)] = [
    (
      "certificate is not accepted",
      "--ca-file or OMSCTL_CA_FILE names the CAs to trust, --gateway a name that the certificate is for"
    ),
    ("certificate required", "the gateway wants a certificate: see --certificate-file and --key-file"),
    ("alert", "the gateway does not take this certificate; its log says why"),
    ("wrong version number", "does the gateway speak TLS there? if not, leave out --ca-file and OMSCTL_CA_FILE"),
  ]
  private static let access =
    "the gateway's Unix socket is for its user, its group and root: have yourself added to that group, or use sudo"
  private static let address = "does the gateway run there? --gateway or OMSCTL_GATEWAY names another address"
  private static let noTLS = "does the gateway speak TLS there? then --ca-file or OMSCTL_CA_FILE says whom to trust"

  /// - Parameters:
  ///   - reason: why the connection failed.
  ///   - isUnix: on a Unix socket, where who may call is asked of the system.
  static func text(noConnection reason: String, hasTLS: Bool, isUnix: Bool = false) -> String {
    if isUnix {
      let isRefused = reason.hasSuffix("Permission denied") || reason.hasSuffix("the peer closed the connection")
      return isRefused ? access : address
    }
    if hasTLS { return tls.first { reason.contains($0.reason) }?.hint ?? address }
    return reason.hasSuffix("the peer closed the connection") ? noTLS : address
  }

  /// For a call that was refused as nobody's.
  static func text(hasToken: Bool) -> String {
    "omsctl \(hasToken ? "took" : "takes") it from --token-file or OMSCTL_TOKEN"
  }
}
