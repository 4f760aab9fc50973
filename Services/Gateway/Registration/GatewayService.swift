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

  func getRegistration(
    _ request: Omsconnector.V1.GetRegistrationRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetRegistrationResponse {
    .init(registration: await registration())
  }

  private func registration() async -> Omsconnector.V1.Registration {
    let machine = await registrar.machine
    return .init(
      state: machine.state.message, applicationId: applicationID, callbackUrl: callbackURL, omsUrl: omsURL,
      subscribedMethods: BusMethod.all.map(\.name), registeredAt: machine.registeredAt?.timestamp,
      failedAttempts: Int64(machine.failedAttempts), lastError: machine.lastError,
      nextAttemptAt: machine.nextAttemptAt?.timestamp)
  }
}

extension RegistrationMachine.State {
  var message: Omsconnector.V1.RegistrationState {
    switch self {
    case .unconfigured: .unconfigured
    case .pending: .pending
    case .registered: .registered
    case .unregistered: .unregistered
    }
  }
}
