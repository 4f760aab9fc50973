import HTTP
import Messages
import ServiceKit

/// What the connector asks of the OMS to be its endpoint.
protocol RegistrationPort: Sendable {
  /// - Throws: `RegistrationFailure`.
  func register() async throws(RegistrationFailure)
  func unregister() async throws(ServiceBusError)
}

struct RegistrationFailure: Error, Equatable {
  let reason: ServiceBusError
  /// A registration that was there has been taken back on the way.
  let isLost: Bool
}

/// The service bus of the OMS, seen from the connector: JSON-RPC 2.0 calls over HTTP POST.
///
/// Calls about the bus itself go where all synchronous calls go, OMS_URL + OMS_REMOTE_PATH: that is the documented
/// place, and the stand-ins look at the method alone. A bus that knows no such path (404, 405) gets them at OMS_URL
/// itself, where both stand-ins take them as well. Source: messages.md §1, "Sync call" and "Other stand-in path".
struct ServiceBus: RegistrationPort {
  private let oms: OMSConnection
  private let http: HTTPClient
  private let tokens: OAuthTokens?

  init(_ oms: OMSConnection, http: HTTPClient) {
    self.oms = oms
    self.http = http
    tokens = oms.oauth.map { OAuthTokens(client: $0, http: http) }
  }

  func register() async throws(RegistrationFailure) {
    let registration = registration
    do throws(ServiceBusError) {
      try await call("magento.service_bus.remote.register", registration)
      return
    } catch {
      guard error.mayMeanDuplicate else { throw RegistrationFailure(reason: error, isLost: false) }
    }
    // Registering again must be harmless: the bus that does not replace a registration is told to forget it first.
    // If it does not know how, or nothing was there, the second answer says what is the matter.
    do throws(ServiceBusError) {
      try await unregister()
    } catch {
      guard case .refused = error else { throw RegistrationFailure(reason: error, isLost: false) }
    }
    do throws(ServiceBusError) {
      try await call("magento.service_bus.remote.register", registration)
    } catch {
      throw RegistrationFailure(reason: error, isLost: true)
    }
  }

  func unregister() async throws(ServiceBusError) {
    do throws(ServiceBusError) {
      try await call("magento.service_bus.remote.unregister", Magento.Oms.V1.RemoteUnregister(id: oms.applicationID))
    } catch {
      // Taking back what is not there is done.
      guard error.mayMeanUnknown else { throw error }
    }
  }

  /// Source: messages.md §4.1.
  private var registration: Magento.Oms.V1.RemoteRegister {
    .init(
      id: oms.applicationID, url: oms.callbackURL, secret: oms.secret?.reveal() ?? "",
      subscribes: BusMethod.all.map(\.name), labels: ["connector": "oms-connector", "version": Version.current])
  }

  private func call(_ method: String, _ message: some Message) async throws(ServiceBusError) {
    let parameters = message.json()
    var target = oms.url + oms.remotePath
    var response = try await authorizedPost(target, method, parameters)
    if response.status == 404 || response.status == 405 {
      target = oms.url + "/"
      response = try await authorizedPost(target, method, parameters)
    }
    switch ServiceBusReply.failure(response) {
    case nil: return
    case .refused(let status, let reason):
      throw .refused(status: status, "\(target), \(method): \(oms.withoutSecrets(reason))")
    case .some(let failure): throw failure
    }
  }

  /// With a token if there is an OAuth client; a token that the bus does not take is replaced once.
  private func authorizedPost(
    _ target: String, _ method: String, _ parameters: String
  ) async throws(ServiceBusError) -> HTTPResponse {
    guard let tokens else { return try await post(target, method, parameters, token: nil) }
    let token = try await tokens.token()
    let response = try await post(target, method, parameters, token: token)
    guard response.status == 401 else { return response }
    return try await post(target, method, parameters, token: tokens.token(insteadOf: token))
  }

  private func post(
    _ target: String, _ method: String, _ parameters: String, token: String?
  ) async throws(ServiceBusError) -> HTTPResponse {
    let id = String(UInt64.random(in: .min ... .max), radix: 16)
    let body = #"{"jsonrpc":"2.0","id":"\#(id)","method":\#(JSONText.quoted(method)),"params":\#(parameters)}"#
    var headers: HTTPHeaders = ["Content-Type": "application/json", "Accept": "application/json"]
    if let token { headers["Authorization"] = "Bearer \(token)" }
    do {
      return try await http.send(HTTPRequest(method: "POST", target: target, headers: headers, body: Array(body.utf8)))
    } catch {
      throw .unreachable("\(error)")
    }
  }
}
