import Messages
import Stubs

/// `omsctl doctor`
struct DoctorCommand: Command {
  static let path = ["doctor"]
  static let summary = "looks at shop, OMS and services, and says what to mend"
  static let details = """
    Token and rights, modules, limits, order statuses, mappings, stock settings. It takes some requests to the shop, and
    changes nothing. The exit code is 1 when something is an ERROR.

    """

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
  }

  let defaultTimeout = Duration.seconds(90)

  func run(in session: Session) async throws -> Int32 {
    let answer = try await session.channel.unary(
      Omsconnector.V1.GatewayServiceMethods.diagnose, .init(), options: session.options)
    switch session.format {
    case .json: session.console.print(answer.json(writesDefaults: true) + "\n")
    case .table:
      for finding in answer.findings { session.console.print(Self.text(finding)) }
      let errors = answer.findings.filter { $0.level == .error }.count
      let warnings = answer.findings.filter { $0.level == .warning }.count
      session.console.print("\n\(answer.findings.count) checks: \(errors) errors, \(warnings) warnings\n")
    }
    return answer.findings.contains { $0.level == .error } ? 1 : 0
  }

  /// Two lines: what was found, and what to do.
  private static func text(_ finding: Omsconnector.V1.Finding) -> String {
    let level = EnumText.short(finding.level, prefix: "FINDING_LEVEL_")
    let head = "\(level)\(String(repeating: " ", count: max(1, 8 - level.count)))"
    let line = "\(head) \(finding.check): \(DisplayText.withoutControls(finding.message))\n"
    return finding.remedy.isEmpty ? line : "\(line)         → \(DisplayText.withoutControls(finding.remedy))\n"
  }
}
