import ServiceKit

/// What the OMS is told at registration, as far as it changes while the gateway runs.
struct RegistrationContent: Sendable, Equatable {
  /// The bus methods to subscribe to, in their order.
  var topics: [String]
  /// Which of the signing secrets, see ``SigningSecrets``.
  var secretGeneration = 0

  /// What the connector says about itself. The installed version travels with the registration (connector.md §2.1); what it
  /// is capable of are the services that consume something now.
  var labels: [String: String] {
    var labels = ["connector": "oms-connector", "version": Version.current]
    let services = Set(topics.compactMap { BusMethod.named($0)?.service.rawValue }).sorted()
    if !services.isEmpty { labels["capabilities"] = services.joined(separator: ",") }
    return labels
  }
}
