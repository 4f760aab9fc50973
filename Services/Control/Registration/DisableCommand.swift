import Messages
import Stubs

/// `omsctl disable`
struct DisableCommand: RegistrationCommand {
  static let path = ["disable"]
  static let summary = "lets the OMS send nothing for a while"
  static let details = """
    The registration is switched off where the OMS knows how, else taken back. It stays so, also after a restart of the
    gateway, until omsctl enable. While the OMS cannot be reached the call fails, and the gateway keeps trying.

    """

  func change(_ session: Session) async throws -> (answer: any Message, registration: Omsconnector.V1.Registration?) {
    let response = try await session.channel.unary(
      Omsconnector.V1.GatewayServiceMethods.disable, .init(), options: session.options)
    return (response, response.registration)
  }
}
