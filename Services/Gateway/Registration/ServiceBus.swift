import HTTP
import Messages
import ServiceKit

/// The service bus of the OMS, seen from the connector: JSON-RPC 2.0 calls over HTTP POST.
///
/// Calls about the bus itself go where all synchronous calls go, OMS_URL + OMS_REMOTE_PATH: that is the documented
/// place, and the stand-ins look at the method alone. A bus that knows no such path (404, 405) gets them at OMS_URL
/// itself, where both stand-ins take them as well. Source: messages.md §1, "Sync call" and "Other stand-in path".
struct ServiceBus: RegistrationPort {
  private let oms: OMSConnection
  private let bus: BusClient

  init(_ oms: OMSConnection, bus: BusClient) {
    self.oms = oms
    self.bus = bus
  }

  // MARK: Registering

  /// Buses differ in what they make of an id that is there: the documented one replaces it, one stand-in refuses, the other
  /// keeps both and sends everything twice from then on (connector.md §2.1, "Edge cases"). That one answers with all its
  /// endpoints, so that copies can be seen.
  func register(
    _ content: RegistrationContent, _ manner: RegistrationManner
  ) async throws(RegistrationFailure) -> RegistrationResult {
    if manner == .replacing { return try await registerAfresh(content) }
    let answer: BusAnswer
    do throws(ServiceBusError) {
      if manner == .enabling { try await enable() }
      answer = try await send(content)
    } catch {
      guard error.mayMeanDuplicate else { throw RegistrationFailure(reason: error, isLost: false) }
      if manner == .renewing && error.meansDuplicate { return .held }
      return try await registerAfresh(content)
    }
    switch answer.endpoints(of: oms.applicationID)?.count {
    case 1?: return .accepted
    case let copies? where copies > 1: return try await registerAfresh(content)
    // Whether it was lost, replaced, or is there twice now can't be told. When that is repeated for ever, it must not be
    // the latter.
    default: return manner == .renewing ? try await registerAfresh(content) : .accepted
    }
  }

  /// Takes back what is there, then registers. If the bus does not know how to take back, or nothing was there, the second
  /// answer says what is the matter.
  private func registerAfresh(
    _ content: RegistrationContent
  ) async throws(RegistrationFailure) -> RegistrationResult {
    do throws(ServiceBusError) {
      try await unregister()
    } catch {
      guard case .refused = error else { throw RegistrationFailure(reason: error, isLost: false) }
    }
    do throws(ServiceBusError) {
      _ = try await send(content)
      return .accepted
    } catch {
      throw RegistrationFailure(reason: error, isLost: true)
    }
  }

  func unregister() async throws(ServiceBusError) {
    do throws(ServiceBusError) {
      _ = try await call("unregister", Magento.Oms.V1.RemoteUnregister(id: oms.applicationID).json())
    } catch {
      // Taking back what is not there is done.
      guard error.mayMeanUnknown else { throw error }
    }
  }

  /// Source: messages.md §4.1.
  private func send(_ content: RegistrationContent) async throws(ServiceBusError) -> BusAnswer {
    let message = Magento.Oms.V1.RemoteRegister(
      id: oms.applicationID, url: oms.callbackURL, secret: oms.signing?.current.secret.reveal() ?? "",
      subscribes: content.topics, labels: content.labels)
    return try await call("register", message.json())
  }

  // MARK: Switching off and on

  /// Switched off (`control`) where the bus can also be asked whether it is, because its word alone is not enough: bus
  /// methods that a stand-in does not know may be answered with a success as well. Else taken back, which every bus
  /// understands.
  func disable() async throws(ServiceBusError) {
    do throws(ServiceBusError) {
      try await control(enabled: false)
      if try await discover().endpoints(of: oms.applicationID)?.first?.isEnabled == false { return }
    } catch {
      guard case .refused = error else { throw error }
    }
    try await unregister()
  }

  /// A bus that refuses has nothing switched off.
  private func enable() async throws(ServiceBusError) {
    do throws(ServiceBusError) {
      try await control(enabled: true)
    } catch {
      guard case .refused = error else { throw error }
    }
  }

  /// The catalogue shows `control([{id, enabled}])` and names the argument nowhere (OPEN). Params have to be an object:
  /// messages.md §1, "Protocol".
  private func control(enabled: Bool) async throws(ServiceBusError) {
    _ = try await call("control", #"{"remotes":[{"id":\#(JSONText.quoted(oms.applicationID)),"enabled":\#(enabled)}]}"#)
  }

  // MARK: Looking

  func check(_ content: RegistrationContent) async -> RegistrationCheck {
    do throws(ServiceBusError) {
      return try await discover().check(id: oms.applicationID, url: oms.callbackURL, topics: content.topics)
    } catch {
      return error.meansCannotBeAsked ? .unsupported("\(error)") : .failed("\(error)")
    }
  }

  private func discover() async throws(ServiceBusError) -> BusAnswer { try await call("discover", "{}") }

  // MARK: Calling

  /// - Parameters:
  ///   - operation: of `magento.service_bus.remote`.
  ///   - params: JSON text.
  private func call(_ operation: String, _ params: String) async throws(ServiceBusError) -> BusAnswer {
    let method = "magento.service_bus.remote.\(operation)"
    let id = String(UInt64.random(in: .min ... .max), radix: 16)
    let envelope = Array(#"{"jsonrpc":"2.0","id":"\#(id)","method":"\#(method)","params":\#(params)}"#.utf8)
    var path = oms.remotePath
    var response = try await bus.post(path: path, body: envelope)
    if response.status == 404 || response.status == 405 {
      path = "/"
      response = try await bus.post(path: path, body: envelope)
    }
    switch ServiceBusReply(response).failure {
    case nil: return BusAnswer(response)
    case .refused(let status, let reason):
      throw .refused(status: status, "\(bus.url)\(path), \(method): \(bus.withoutSecrets(reason))")
    case .some(let failure): throw failure
    }
  }
}
