import HTTP
import ServiceKit

/// How the gateway and the OMS work together: the settings about it, checked against each other.
struct OMSConfiguration: Sendable {
  /// nil without OMS_URL.
  let url: String?
  let applicationID: String
  /// What the OMS signs its messages with; nil for nothing.
  let signing: SigningSecrets?
  /// Whether unsigned messages are refused.
  let requiresSignature: Bool
  private let remotePath: String
  private let oauth: OMSConnection.OAuthClient?
  private let givenCallbackURL: String?

  /// - Throws: a line for each combination that makes no sense.
  init(_ configuration: Configuration) throws(ConfigurationError) {
    var problems: [String] = []
    url = configuration[GatewaySettings.omsURL]
    applicationID = configuration[GatewaySettings.applicationID]
    remotePath = configuration[GatewaySettings.remotePath]
    let secret = configuration[GatewaySettings.secret]
    signing = secret.map { SigningSecrets($0) }
    givenCallbackURL = configuration[GatewaySettings.callbackURL]

    let isRequired = configuration[GatewaySettings.requireSignature] ?? (secret != nil)
    if isRequired && secret == nil {
      problems.append(
        "OMS_REQUIRE_SIGNATURE is true but OMS_SECRET is not set; set OMS_SECRET or OMS_REQUIRE_SIGNATURE=false")
    }
    requiresSignature = isRequired

    oauth = Self.oauth(configuration, url, &problems)
    let address = configuration[GatewaySettings.http]
    if url != nil, givenCallbackURL == nil, ["0.0.0.0", "::", "*"].contains(address.host) {
      problems.append(
        "GATEWAY_HTTP is \(address), which the OMS cannot call; set CONNECTOR_CALLBACK_URL to how it reaches this machine"
      )
    }
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
  }

  /// Where the OMS sends its messages.
  ///
  /// - Parameter address: what GATEWAY_HTTP turned out to be.
  func callbackURL(at address: HTTPAddress) -> String { givenCallbackURL ?? "http://\(address)\(CallbackEdge.path)" }

  /// nil without an OMS.
  func connection(callbackURL: String) -> OMSConnection? {
    url.map {
      OMSConnection(
        url: $0, remotePath: remotePath, oauth: oauth, applicationID: applicationID, callbackURL: callbackURL,
        signing: signing)
    }
  }

  /// The way to the OMS that all share who send it something; nil without an OMS.
  func bus() -> BusClient? {
    url.map { url in
      var options = HTTPClientOptions()
      options.userAgent = "oms-connector/\(Version.current)"
      let http = HTTPClient(options: options)
      let (signing, clientSecret) = (signing, oauth?.secret)
      return BusClient(
        url: url, tokens: oauth.map { OAuthTokens(client: $0, http: http) }, http: http,
        secrets: { (signing?.all ?? []) + [clientSecret?.current] })
    }
  }

  /// Reads the secrets again that may come from files: OMS_SECRET and OMS_OAUTH_CLIENT_SECRET. What cannot be read stays as
  /// it was.
  ///
  /// - Returns: which of them have changed.
  func reloadSecrets(_ environment: Environment) throws(ConfigurationError) -> [String] {
    let read = try Configuration([GatewaySettings.secret, GatewaySettings.oauthClientSecret], environment: environment)
    var changed: [String] = []
    if let secret = read[GatewaySettings.secret], signing?.replace(with: secret) == true {
      changed.append(GatewaySettings.secret.name)
    }
    if let secret = read[GatewaySettings.oauthClientSecret], oauth?.secret.replace(with: secret) == true {
      changed.append(GatewaySettings.oauthClientSecret.name)
    }
    return changed
  }

  private static func oauth(
    _ configuration: Configuration, _ omsURL: String?, _ problems: inout [String]
  ) -> OMSConnection.OAuthClient? {
    let secret = configuration[GatewaySettings.oauthClientSecret]
    guard let id = configuration[GatewaySettings.oauthClientID] else {
      if secret != nil {
        problems.append("OMS_OAUTH_CLIENT_SECRET is set but OMS_OAUTH_CLIENT_ID is not; set both or neither")
      }
      return nil
    }
    guard let secret else {
      problems.append("OMS_OAUTH_CLIENT_ID is set but OMS_OAUTH_CLIENT_SECRET is not; set both or neither")
      return nil
    }
    guard let server = configuration[GatewaySettings.oauthServerURL] ?? omsURL else {
      problems.append("OMS_OAUTH_CLIENT_ID is set but there is no server to ask; set OMS_URL or OMS_OAUTH_SERVER_URL")
      return nil
    }
    return OMSConnection.OAuthClient(serverURL: server, id: id, secret: SharedSecret(secret))
  }
}
