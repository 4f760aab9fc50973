import Messages
import Stubs

/// `omsctl capabilities`
struct CapabilitiesCommand: Command {
  static let path = ["capabilities"]
  static let summary = "shows what the connector does now, and what of the shop it changes"
  static let details = """
    Each with its state, as it is configured and running, and what to do about it. The exit code is 1 when one of them is
    DEGRADED or UNAVAILABLE.

    """

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
  }

  func run(in session: Session) async throws -> Int32 {
    let answer = try await session.channel.unary(
      Omsconnector.V1.GatewayServiceMethods.getCapabilities, .init(), options: session.options)
    switch session.format {
    case .json: session.console.print(answer.json(writesDefaults: true) + "\n")
    case .table:
      session.console.print(Self.table("FEATURE", answer.features))
      session.console.print("\n")
      session.console.print(Self.table("FUNCTION OF THE SHOP", answer.functions))
    }
    let isFine = (answer.features + answer.functions).allSatisfy {
      $0.state == .active || $0.state == .notConfigured
    }
    return isFine ? 0 : 1
  }

  private static func table(_ head: String, _ capabilities: [Omsconnector.V1.Capability]) -> Table {
    var table = Table(.left(head), .left("STATE"), .left("DETAIL"))
    for capability in capabilities {
      let remedy = capability.remedy.isEmpty ? "" : " → \(capability.remedy)"
      table.add(
        DisplayText.withoutControls(capability.title),
        EnumText.short(capability.state, prefix: "CAPABILITY_STATE_"),
        DisplayText.withoutControls(capability.detail + remedy))
    }
    return table
  }
}
