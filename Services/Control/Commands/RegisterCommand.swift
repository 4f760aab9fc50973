import Messages
import RPC
import Stubs

/// `omsctl register [--remove]`
struct RegisterCommand: Command {
  static let path = ["register"]
  static let arguments = "[--remove]"
  static let summary = "registers the connector with the OMS now"
  static let details = """
    Registering twice is harmless. Also ends what omsctl unregister and omsctl disable began. --remove is the same as omsctl
    unregister.

    """
  static let flags: Set<String> = ["remove"]

  private let removes: Bool

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
    removes = flags.contains("remove")
  }

  func run(in session: Session) async throws -> Int32 {
    if removes { return try await UnregisterCommand.unregister(session) }
    let response = try await session.channel.unary(
      Omsconnector.V1.GatewayServiceMethods.register, .init(), options: session.options)
    session.show(response, response.registration)
    return 0
  }
}

/// `omsctl unregister`
struct UnregisterCommand: Command {
  static let path = ["unregister"]
  static let summary = "takes the connector's registration back"
  static let details = """
    The OMS sends nothing any more and publishes past the connector. It stays so, also after a restart of the gateway, until
    omsctl register. While the OMS cannot be reached the call fails, and the gateway keeps trying.

    """

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
  }

  func run(in session: Session) async throws -> Int32 { try await Self.unregister(session) }

  static func unregister(_ session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.GatewayServiceMethods.unregister, .init(), options: session.options)
    session.show(response, response.registration)
    return 0
  }
}

/// `omsctl disable`
struct DisableCommand: Command {
  static let path = ["disable"]
  static let summary = "lets the OMS send nothing for a while"
  static let details = """
    The registration is switched off where the OMS knows how, else taken back. It stays so, also after a restart of the
    gateway, until omsctl enable. While the OMS cannot be reached the call fails, and the gateway keeps trying.

    """

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.GatewayServiceMethods.disable, .init(), options: session.options)
    session.show(response, response.registration)
    return 0
  }
}

/// `omsctl enable`
struct EnableCommand: Command {
  static let path = ["enable"]
  static let summary = "ends what omsctl disable began"

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.GatewayServiceMethods.enable, .init(), options: session.options)
    session.show(response, response.registration)
    return 0
  }
}

extension Session {
  fileprivate func show(_ response: some Message, _ registration: Omsconnector.V1.Registration?) {
    switch format {
    case .json: console.print(response.json(writesDefaults: true) + "\n")
    case .table: console.print(RegistrationTable.of(registration ?? .init()))
    }
  }
}
