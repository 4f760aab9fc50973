import Messages
import Stubs

/// `omsctl unregister`
struct UnregisterCommand: RegistrationCommand {
  static let path = ["unregister"]
  static let summary = "takes the connector's registration back"
  static let details = """
    The OMS sends nothing any more and publishes past the connector. It stays so, also after a restart of the gateway, until
    omsctl register. While the OMS cannot be reached the call fails, and the gateway keeps trying.

    """

  func change(_ session: Session) async throws -> (answer: any Message, registration: Omsconnector.V1.Registration?) {
    let response = try await session.channel.unary(
      Omsconnector.V1.GatewayServiceMethods.unregister, .init(), options: session.options)
    return (response, response.registration)
  }
}
