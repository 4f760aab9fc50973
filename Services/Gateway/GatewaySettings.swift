import HTTP
import RPC
import ServiceKit

/// What the gateway reads from the environment.
enum GatewaySettings {
  static let grpc = Setting.addresses("GATEWAY_GRPC", "where it serves gRPC besides LISTEN", default: "127.0.0.1:50051")
  static let tokensFile = Setting.file(
    "GATEWAY_TOKENS_FILE", "file of bearer tokens, TOKEN or NAME:TOKEN a line: TCP clients have to send one of them"
  ).optional
  static let insecure = Setting.bool(
    "GATEWAY_INSECURE", "let everybody call who reaches the TCP address, instead of GATEWAY_TOKENS_FILE",
    default: "false")
  static let http = httpAddress("GATEWAY_HTTP", "where the OMS delivers its messages", default: "127.0.0.1:8080")
  static let admin = httpAddress("GATEWAY_ADMIN", "where /healthz, /readyz and /metrics are", default: "127.0.0.1:8081")

  static let omsURL = Setting.url("OMS_URL", "the OMS's service bus; without it the gateway serves, unregistered")
    .optional
  static let oauthServerURL = Setting.url(
    "OMS_OAUTH_SERVER_URL", "the server that gives OAuth tokens; OMS_URL when not set"
  ).optional
  static let oauthClientID = Setting.text(
    "OMS_OAUTH_CLIENT_ID", "the OAuth client; without it no token is sent"
  ).optional
  static let oauthClientSecret = Setting.secret("OMS_OAUTH_CLIENT_SECRET", "the OAuth client's secret").optional
  static let applicationID = Setting.text(
    "OMS_APPLICATION_ID", "the id under which the connector registers", default: "connector")
  static let secret = Setting.secret("OMS_SECRET", "what the OMS signs its messages with").optional
  static let requireSignature = Setting.bool(
    "OMS_REQUIRE_SIGNATURE", "refuse messages that are not signed; true when OMS_SECRET is set, else false"
  ).optional
  static let remotePath = Setting.urlPath(
    "OMS_REMOTE_PATH", "path below OMS_URL of synchronous calls, registration among them", default: "/remote/oms")
  static let delegatePath = Setting.urlPath(
    "OMS_DELEGATE_PATH", "path below OMS_URL of asynchronous calls", default: "/delegate/oms")
  static let eventsPath = Setting.urlPath("OMS_EVENTS_PATH", "path below OMS_URL of events", default: "/events")
  static let omsTimeout = Setting.duration(
    "OMS_TIMEOUT", .milliseconds(100) ... .seconds(600), "how long the OMS may take to answer a message",
    default: "30s")
  static let omsMaxConcurrency = Setting.integer(
    "OMS_MAX_CONCURRENCY", 1...64, "messages that the OMS works on at the same time", default: "16")
  static let omsMaxRate = Setting.integer(
    "OMS_MAX_RATE", 1...1_000_000, "messages a second that go to the OMS; without it, as many as it takes"
  ).optional
  static let synchronousMethods = Setting<Set<String>>(
    "OMS_SYNCHRONOUS_METHODS",
    "the OMS's methods that are answered when their effect is there; all others, as soon as the message is durable",
    allowed: "method names, separated by commas", default: ""
  ) { text throws(SettingError) in
    let names = text.split(separator: ",").map { String($0.drop { $0 == " " }) }
    guard names.allSatisfy({ BusMethod.named($0) != nil }) else { throw SettingError() }
    return Set(names)
  }
  static let journalRetention = Setting.integer(
    "JOURNAL_RETENTION", 1...3650, "days for which messages are kept after their end", default: "60")
  static let callbackURL = Setting.url(
    "CONNECTOR_CALLBACK_URL", "where the OMS reaches the connector; http://GATEWAY_HTTP/service-bus when not set"
  ).optional

  static let registrationCheck = Setting.duration(
    "OMS_REGISTRATION_CHECK", .seconds(1) ... .seconds(86_400),
    "how often the OMS is asked whether it still has the registration", default: "5m")
  static let registrationRenewal = Setting.duration(
    "OMS_REGISTRATION_RENEWAL", .seconds(1) ... .seconds(7 * 86_400),
    "how often the registration is renewed with an OMS that cannot be asked", default: "1h")
  static let registrationWait = Setting.duration(
    "OMS_REGISTRATION_WAIT", .zero ... .seconds(600),
    "how long services get at the start to say what they consume, before the first registration", default: "3s")

  static let all: [any DeclaredSetting] = [
    grpc, tokensFile, insecure, http, admin, ServiceTargets.catalog, ServiceTargets.inventory,
    ServiceTargets.sales, ServiceTargets.postSales, omsURL, oauthServerURL,
    oauthClientID, oauthClientSecret, applicationID, secret, requireSignature, remotePath, delegatePath,
    eventsPath, omsTimeout, omsMaxConcurrency, omsMaxRate, synchronousMethods, journalRetention, callbackURL,
    registrationCheck, registrationRenewal, registrationWait, StoreSettings.databaseURL,
  ]

  static func target(of service: ConnectorService) -> Setting<Target> {
    switch service {
    case .catalog: ServiceTargets.catalog
    case .inventory: ServiceTargets.inventory
    case .sales: ServiceTargets.sales
    case .postSales: ServiceTargets.postSales
    }
  }

  private static func httpAddress(_ name: String, _ meaning: String, default text: String) -> Setting<HTTPAddress> {
    Setting(name, meaning, allowed: "HOST:PORT, such as \(text)", default: text) { text throws(SettingError) in
      guard let address = HTTPAddress(parsing: text) else { throw SettingError() }
      return address
    }
  }
}
