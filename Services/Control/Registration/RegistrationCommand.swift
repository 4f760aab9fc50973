import Messages

/// A command that changes the connector's place in the OMS and shows what it is then.
protocol RegistrationCommand: Command {
  init()

  /// - Returns: the answer, and what of it is shown.
  func change(_ session: Session) async throws -> (answer: any Message, registration: Omsconnector.V1.Registration?)
}

extension RegistrationCommand {
  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
    self.init()
  }

  func run(in session: Session) async throws -> Int32 {
    let (answer, registration) = try await change(session)
    session.show(answer, as: RegistrationTable.of(registration ?? .init()))
    return 0
  }
}
