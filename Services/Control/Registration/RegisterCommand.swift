import Messages
import Stubs

/// `omsctl register [--remove]`
struct RegisterCommand: RegistrationCommand {
  static let path = ["register"]
  static let arguments = "[--remove]"
  static let summary = "registers the connector with the OMS now"
  static let details = """
    Registering twice is harmless. Also ends what omsctl unregister and omsctl disable began. --remove is the same as omsctl
    unregister.

    """
  static let flags: Set<String> = ["remove"]

  private var removes = false

  init() {}

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
    removes = flags.contains("remove")
  }

  func change(_ session: Session) async throws -> (answer: any Message, registration: Omsconnector.V1.Registration?) {
    if removes { return try await UnregisterCommand().change(session) }
    let response = try await session.channel.unary(
      Omsconnector.V1.GatewayServiceMethods.register, .init(), options: session.options)
    return (response, response.registration)
  }
}
