import CPQ
import Glibc

/// What libpq is told besides the URL, unless that says something about it.
struct ConnectionParameters {
  private let url: PostgreSQLURL
  private let application: String

  init(_ url: PostgreSQLURL, application: String) {
    self.url = url
    self.application = application
  }

  private static let defaults = [
    ("connect_timeout", "5"),
    // A server whose machine or network has vanished says nothing. Its system would confirm what it gets however long a
    // statement takes: what is not confirmed within six seconds is lost, soon enough to be tried again, or elsewhere, before
    // callers give up.
    ("keepalives_idle", "3"), ("keepalives_interval", "1"), ("keepalives_count", "3"), ("tcp_user_timeout", "6000"),
    // Of several hosts, the primary.
    ("target_session_attrs", "read-write"),
  ]

  /// - Returns: a connection, or what holds the reason why there is none.
  func connect() -> OpaquePointer? {
    let parameters =
      [("dbname", url.text)] + Self.defaults.filter { !url.says($0.0) }
      + [("fallback_application_name", "oms-connector/\(application)"), ("client_encoding", "UTF8")]
    let keywords = parameters.map { UnsafePointer(strdup($0.0)) } + [nil]
    let values = parameters.map { UnsafePointer(strdup($0.1)) } + [nil]
    defer { for text in keywords + values { free(UnsafeMutablePointer(mutating: text)) } }
    return PQconnectdbParams(keywords, values, 1)
  }
}
