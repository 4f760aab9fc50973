import Messages
import Stubs

/// `omsctl enable`
struct EnableCommand: RegistrationCommand {
  static let path = ["enable"]
  static let summary = "ends what omsctl disable began"

  func change(_ session: Session) async throws -> (answer: any Message, registration: Omsconnector.V1.Registration?) {
    let response = try await session.channel.unary(
      Omsconnector.V1.GatewayServiceMethods.enable, .init(), options: session.options)
    return (response, response.registration)
  }
}
