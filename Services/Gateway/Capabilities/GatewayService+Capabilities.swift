import Messages
import RPC
import ServiceKit
import Stubs

/// What all services together can do.
extension GatewayService {
  typealias Capability = Omsconnector.V1.Capability

  func getCapabilities(
    _ request: Omsconnector.V1.GetCapabilitiesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetCapabilitiesResponse {
    let answers = await survey.capabilities()
    let registration = await registrationCapability()
    return .init(
      features: FeatureGrid.features.map { entry in
        if entry.name == FeatureGrid.autoRegistration { return entry.united([registration]) }
        return entry.united { service in
          answers[service].map { $0.features.first { $0.name == entry.name } }
        }
      },
      functions: FeatureGrid.functions.map { entry in
        entry.united { service in answers[service].map { $0.functions.first { $0.name == entry.name } } }
      })
  }

  func diagnose(
    _ request: Omsconnector.V1.DiagnoseRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.DiagnoseResponse {
    async let found = survey.findings()
    let registration = await registrationFinding()
    let all = [registration] + (await found)
    // The worst first, and each service's own order kept among equals.
    let sorted = all.enumerated().sorted { left, right in
      (right.element.level.badness, left.offset) < (left.element.level.badness, right.offset)
    }
    return .init(findings: sorted.map(\.element))
  }

  private func registrationCapability() async -> Capability {
    let machine = await registrar.machine
    let away = Self.awayServices(await registrar.topics).map(\.service)
    switch machine.state {
    case .unconfigured:
      return Capability(
        state: .notConfigured, detail: "no OMS is set", remedy: "set OMS_URL and its OAuth client of the gateway")
    case .registered:
      let topics = machine.content?.topics.count ?? 0
      let detail = "registered with \(omsURL) as \(applicationID), subscribed to \(topics) methods"
      if away.isEmpty { return Capability(state: .active, detail: detail) }
      return Capability(
        state: .degraded, detail: "\(detail); away: \(away.joined(separator: ", "))",
        remedy: "see that these services run: omsctl status")
    case .pending:
      return Capability(
        state: .degraded,
        detail: "not registered yet" + (machine.lastError.isEmpty ? "" : ": \(machine.lastError)"),
        remedy: "it is tried again by itself; see omsctl registration")
    case .unregistered, .disabled:
      return Capability(
        state: .degraded, detail: "switched off by an operator", remedy: "omsctl register, or omsctl enable")
    }
  }

  private func registrationFinding() async -> Omsconnector.V1.Finding {
    let capability = await registrationCapability()
    return .init(
      check: "oms-registration", level: capability.state == .active ? .ok : .warning, message: capability.detail,
      remedy: capability.remedy)
  }
}
