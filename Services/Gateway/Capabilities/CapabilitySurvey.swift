import Messages
import RPC
import ServiceKit
import Stubs

/// Asks all services what they can do, and what they find.
struct CapabilitySurvey: Sendable {
  /// A service looks into its store.
  static let listTimeout = Duration.seconds(5)
  /// A service makes some requests to the shop, which may be slow.
  static let diagnoseTimeout = Duration.seconds(60)

  typealias Methods = Omsconnector.Internal.V1.CapabilityServiceMethods
  typealias Finding = Omsconnector.V1.Finding

  let channels: [(service: ConnectorService, channel: Channel)]

  /// What each service says; one that does not answer is left out.
  func capabilities() async -> [ConnectorService: Omsconnector.Internal.V1.ListCapabilitiesResponse] {
    await withTaskGroup(of: (ConnectorService, Omsconnector.Internal.V1.ListCapabilitiesResponse?).self) { group in
      for (service, channel) in channels {
        group.addTask {
          do {
            return (
              service,
              try await channel.unary(
                Methods.listCapabilities, .init(), options: CallOptions(timeout: Self.listTimeout))
            )
          } catch {
            Log.debug("no capabilities", ["service": "\(service)", "reason": LogValue(error)])
            return (service, nil)
          }
        }
      }
      var answers: [ConnectorService: Omsconnector.Internal.V1.ListCapabilitiesResponse] = [:]
      for await (service, answer) in group { answers[service] = answer }
      return answers
    }
  }

  /// What the services find; that one does not answer is a finding too. In the services' order.
  func findings() async -> [Finding] {
    await withTaskGroup(of: (Int, [Finding]).self) { group in
      for (index, (service, channel)) in channels.enumerated() {
        group.addTask {
          do {
            let answer = try await channel.unary(
              Methods.diagnose, .init(), options: CallOptions(timeout: Self.diagnoseTimeout))
            return (index, answer.findings)
          } catch {
            return (
              index,
              [
                Finding(
                  check: "service-\(service)", level: .error, message: "the \(service) service can't look: \(error)",
                  remedy: "see that it runs: omsctl status; its log says more")
              ]
            )
          }
        }
      }
      var found: [(Int, [Finding])] = []
      for await answer in group { found.append(answer) }
      return found.sorted { $0.0 < $1.0 }.flatMap(\.1)
    }
  }
}
