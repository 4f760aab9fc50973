import Messages
import Stubs

/// `omsctl register [--remove]`
struct RegisterCommand: Command {
  static let path = ["register"]
  static let arguments = "[--remove]"
  static let summary = "registers the connector with the OMS now, or takes the registration back"
  static let details = """
    --remove takes the registration back; the gateway then stays unregistered until it is told to register again or
    started again. Registering twice is harmless.

    """
  static let flags: Set<String> = ["remove"]

  private let removes: Bool

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
    removes = flags.contains("remove")
  }

  func run(in session: Session) async throws -> Int32 {
    typealias Methods = Omsconnector.V1.GatewayServiceMethods
    if removes {
      let response = try await session.channel.unary(Methods.unregister, .init(), options: session.options)
      show(response, response.registration, session)
    } else {
      let response = try await session.channel.unary(Methods.register, .init(), options: session.options)
      show(response, response.registration, session)
    }
    return 0
  }

  private func show(_ response: some Message, _ registration: Omsconnector.V1.Registration?, _ session: Session) {
    switch session.format {
    case .json: session.console.print(response.json(writesDefaults: true) + "\n")
    case .table: session.console.print(RegistrationTable.of(registration ?? .init()))
    }
  }
}
