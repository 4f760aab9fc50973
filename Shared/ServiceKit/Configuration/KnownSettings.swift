/// The names of all settings of all executables: to tell a variable that somebody else's service reads from a misspelt
/// one.
enum KnownSettings {
  /// What an executable reads; a test holds the list against the executables.
  static let read = [
    "CATALOG_RECONCILIATION_INTERVAL", "CATALOG_TARGET", "COMMERCE_CONSUMER_KEY", "COMMERCE_CONSUMER_SECRET",
    "COMMERCE_MAPPING_FILE", "COMMERCE_MAX_CONCURRENCY", "COMMERCE_MAX_RATE", "COMMERCE_POLL_INTERVAL",
    "COMMERCE_TIMEOUT", "COMMERCE_TOKEN", "COMMERCE_TOKEN_SECRET", "COMMERCE_URL", "CONNECTOR_CALLBACK_URL",
    "DATABASE_URL", "GATEWAY_ADMIN", "GATEWAY_GRPC", "GATEWAY_HTTP", "GATEWAY_INSECURE", "GATEWAY_TARGET",
    "GATEWAY_TOKENS_FILE", "INVENTORY_DEVELOPER_MODE", "INVENTORY_SHOP_CHECK_INTERVAL", "INVENTORY_TARGET",
    "JOURNAL_RETENTION", "LISTEN", "LOG_LEVEL", "LOOPS", "OMSCTL_CA_FILE", "OMSCTL_CERTIFICATE_FILE", "OMSCTL_GATEWAY",
    "OMSCTL_KEY_FILE", "OMSCTL_TOKEN", "OMS_APPLICATION_ID", "OMS_DELEGATE_PATH", "OMS_EVENTS_PATH",
    "OMS_MAX_CONCURRENCY", "OMS_MAX_RATE", "OMS_OAUTH_CLIENT_ID", "OMS_OAUTH_CLIENT_SECRET", "OMS_OAUTH_SERVER_URL",
    "OMS_REGISTRATION_CHECK", "OMS_REGISTRATION_RENEWAL", "OMS_REGISTRATION_WAIT", "OMS_REMOTE_PATH",
    "OMS_REQUIRE_SIGNATURE", "OMS_SECRET", "OMS_SYNCHRONOUS_METHODS", "OMS_TIMEOUT", "OMS_URL",
    "POST_SALES_SENDS_MAILS", "POST_SALES_SETTLE_TIME", "POST_SALES_SHIPPING_INCLUDES_TAX",
    "POST_SALES_SILENT_CHANNELS", "POST_SALES_STORE_CREDIT_ROUTE", "POST_SALES_TARGET", "SALES_CARRIER",
    "SALES_CARRIER_TRACKING_LINK", "SALES_CARRIER_TRACKING_NUMBER", "SALES_CONFIRMATION_TIMEOUT", "SALES_EXPORT_SINCE",
    "SALES_HOLD_INTERVAL", "SALES_PAYMENTS_TOKEN", "SALES_PAYMENTS_URL", "SALES_SHIPMENT_MAILS", "SALES_SHOP_GRACE",
    "SALES_SILENT_CHANNELS", "SALES_TARGET", "SALES_UNIT_LIMIT", "STATE_DIR", "TLS_ALLOWED_PEERS", "TLS_CA_FILE",
    "TLS_CERTIFICATE_FILE", "TLS_CLIENT_CA_FILE", "TLS_KEY_FILE",
  ]

  /// Variables that begin so are meant for us.
  static let prefixes = [
    "OMS_", "OMSCTL_", "GATEWAY_", "CONNECTOR_", "COMMERCE_", "CATALOG_", "INVENTORY_", "SALES_", "POST_SALES_",
    "TLS_",
  ]

  /// A variable that looks like ours and is none, and the known name that is nearest to it.
  struct Stranger: Sendable, Equatable {
    let name: String
    let nearest: String
  }

  /// Variables that begin like ours and that no executable reads. They do not stop the start, because orchestrators
  /// make such names up: Kubernetes sets GATEWAY_PORT in every pod once there is a service called gateway.
  static func strangers(in environment: Environment, declared: [any DeclaredSetting]) -> [Stranger] {
    let known = Set(read).union(declared.map(\.name))
    let secretFiles = Set(known.map { $0 + "_FILE" })
    return environment.names
      .filter { name in prefixes.contains { name.hasPrefix($0) } && !known.contains(name) && !secretFiles.contains(name)
      }
      .map { name in Stranger(name: name, nearest: nearest(to: name, among: known.sorted())) }
  }

  private static func nearest(to name: String, among known: [String]) -> String {
    known.min { EditDistance.between(name, $0) < EditDistance.between(name, $1) } ?? ""
  }
}
