import Messages
import RPC
import Stubs

/// `omsconnector.v1.GatewayService`.
struct GatewayService: Omsconnector.V1.GatewayService {
  let registrar: Registrar
  let applicationID: String
  let callbackURL: String
  /// Empty without an OMS.
  let omsURL: String
  let survey: CapabilitySurvey

  func register(
    _ request: Omsconnector.V1.RegisterRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.RegisterResponse {
    try await registrar.register()
    return .init(registration: await registration())
  }

  func unregister(
    _ request: Omsconnector.V1.UnregisterRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.UnregisterResponse {
    try await registrar.unregister()
    return .init(registration: await registration())
  }

  func disable(
    _ request: Omsconnector.V1.DisableRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.DisableResponse {
    try await registrar.disable()
    return .init(registration: await registration())
  }

  func enable(
    _ request: Omsconnector.V1.EnableRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.EnableResponse {
    try await registrar.enable()
    return .init(registration: await registration())
  }

  func getRegistration(
    _ request: Omsconnector.V1.GetRegistrationRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetRegistrationResponse {
    .init(registration: await registration())
  }

  private func registration() async -> Omsconnector.V1.Registration {
    let machine = await registrar.machine
    let isConfigured = machine.state != .unconfigured
    return .init(
      state: machine.state.message, applicationId: applicationID, callbackUrl: callbackURL, omsUrl: omsURL,
      subscribedMethods: machine.content?.topics ?? [], registeredAt: machine.registeredAt?.timestamp,
      failedAttempts: Int64(machine.failedAttempts), lastError: machine.lastError,
      nextAttemptAt: machine.nextAttemptAt?.timestamp, stateSince: machine.stateSince.timestamp,
      wantedState: isConfigured ? machine.goal.state.message : .unconfigured, labels: machine.content?.labels ?? [:],
      checkedAt: machine.checkedAt?.timestamp, checkResult: machine.checkResult,
      nextCheckAt: machine.nextCheckAt?.timestamp, awayServices: Self.awayServices(await registrar.topics))
  }

  static func awayServices(_ topics: [KeptTopic]) -> [Omsconnector.V1.AwayService] {
    ConnectorService.allCases.compactMap { service in
      let missing = topics.filter { $0.awaySince != nil && BusMethod.named($0.method)?.service == service }
      guard let since = missing.first?.awaySince else { return nil }
      return .init(service: service.rawValue, since: since.timestamp, methods: missing.map(\.method))
    }
  }
}

extension RegistrationMachine.State {
  var message: Omsconnector.V1.RegistrationState {
    switch self {
    case .unconfigured: .unconfigured
    case .pending: .pending
    case .registered: .registered
    case .unregistered: .unregistered
    case .disabled: .disabled
    }
  }
}
