import Messages
import RPC
import Stubs

/// `omsctl status`
struct StatusCommand: Command {
  static let path = ["status"]
  static let summary = "shows what runs, the registration, and how many messages wait"
  static let details = """
    The exit code is 1 when the gateway or a service behind it does not serve. NOT_FOUND means that the gateway does not
    know the service.

    """
  /// The names under which the gateway answers for the services behind it; the empty one is its own.
  static let services =
    [(shown: "gateway", asked: "")] + ["catalog", "inventory", "sales", "post-sales"].map { ($0, $0) }

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
  }

  let defaultTimeout = Duration.seconds(10)

  func run(in session: Session) async throws -> Int32 {
    var healths: [ServiceHealth] = []
    for (shown, asked) in Self.services { healths.append(try await health(shown, asked, session)) }
    let registration = try await session.channel.unary(
      Omsconnector.V1.GatewayServiceMethods.getRegistration, .init(), options: session.options)
    let report = try await session.channel.unary(
      Omsconnector.V1.ReportServiceMethods.getTimingReport, .init(), options: session.options)
    let messages = Waiting(
      try await session.channel.unary(
        Omsconnector.V1.JournalServiceMethods.getQueues, .init(keys: 1), options: session.options))
    switch session.format {
    case .json: session.console.print(json(healths, registration, messages, report.missingReplicas, session))
    case .table: show(healths, registration.registration ?? .init(), messages, report.missingReplicas, session)
    }
    return healths.allSatisfy { $0.status == "SERVING" } ? 0 : 1
  }

  private struct Waiting {
    let waiting: Int64
    let givenUp: Int64

    init(_ answer: Omsconnector.V1.GetQueuesResponse) {
      waiting = answer.queues.reduce(0) { $0 &+ $1.depth }
      givenUp = answer.givenUp
    }

    var text: String {
      let hints = [waiting > 0 ? "omsctl queue" : nil, givenUp > 0 ? "omsctl dead" : nil].compactMap(\.self)
      let what = "\(waiting) \(waiting == 1 ? "message waits" : "messages wait"), \(givenUp) given up"
      return hints.isEmpty ? what : "\(what): see \(hints.joined(separator: ", "))"
    }
  }

  private struct ServiceHealth {
    let name: String
    let status: String
    let note: String
  }

  /// What a service answers, or the status of a call that did not get there. Without the gateway there is nothing to
  /// show.
  private func health(_ shown: String, _ asked: String, _ session: Session) async throws -> ServiceHealth {
    do {
      let response = try await session.channel.unary(
        Grpc.Health.V1.HealthMethods.check, .init(service: asked), options: session.options)
      return ServiceHealth(name: shown, status: "\(response.status)", note: "")
    } catch let error as RPCError where !asked.isEmpty {
      return ServiceHealth(name: shown, status: "\(error.code)", note: error.message)
    }
  }

  private func show(
    _ healths: [ServiceHealth], _ registration: Omsconnector.V1.Registration, _ messages: Waiting,
    _ missing: [String], _ session: Session
  ) {
    var table = Table(.left("SERVICE"), .left("HEALTH"), .left(""))
    for health in healths { table.add(health.name, health.status, health.note) }
    session.console.print(table)
    session.console.print("\n")
    session.console.print(RegistrationTable.of(registration))
    session.console.print("\n\(messages.text)\n")
    guard !missing.isEmpty else { return }
    session.console.print(
      "\nReplicas that do not answer: \(DisplayText.withoutControls(missing.joined(separator: ", ")))\n")
  }

  private func json(
    _ healths: [ServiceHealth], _ registration: Omsconnector.V1.GetRegistrationResponse, _ messages: Waiting,
    _ missing: [String], _ session: Session
  ) -> String {
    let services = healths.map { health in
      "{\"name\":\(JSONText.quoted(health.name)),\"health\":\(JSONText.quoted(health.status))}"
    }
    return
      "{\"gateway\":\(JSONText.quoted("\(session.channel.target)")),\"services\":[\(services.joined(separator: ","))],"
      + "\"waiting\":\(messages.waiting),\"given_up\":\(messages.givenUp),\"registration\":\((registration.registration ?? .init()).json(writesDefaults: true)),"
      + "\"missing_replicas\":[\(missing.map { JSONText.quoted($0) }.joined(separator: ","))]}\n"
  }
}
