/// Where the OMS is and as whom the connector talks to it.
struct OMSConnection: Sendable {
  /// OMS_URL, without a slash at its end.
  var url: String
  /// OMS_REMOTE_PATH: where synchronous calls go.
  var remotePath = "/remote/oms"
  /// nil sends no token.
  var oauth: OAuthClient?
  /// OMS_APPLICATION_ID.
  var applicationID = "connector"
  /// Where the OMS sends its messages.
  var callbackURL: String
  /// What the OMS signs its messages with; nil for nothing.
  var signing: SigningSecrets?

  struct OAuthClient: Sendable {
    /// Without a slash at its end.
    var serverURL: String
    var id: String
    var secret: SharedSecret
  }
}
