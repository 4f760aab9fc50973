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
  private let bus: BusClient

  init(_ oms: OMSConnection, bus: BusClient) {
    self.oms = oms
    self.bus = bus
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
    let id = String(UInt64.random(in: .min ... .max), radix: 16)
    let envelope = #"{"jsonrpc":"2.0","id":"\#(id)","method":\#(JSONText.quoted(method)),"params":\#(message.json())}"#
    var path = oms.remotePath
    var response = try await bus.post(path: path, body: Array(envelope.utf8))
    if response.status == 404 || response.status == 405 {
      path = "/"
      response = try await bus.post(path: path, body: Array(envelope.utf8))
    }
    switch ServiceBusReply.failure(response) {
    case nil: return
    case .refused(let status, let reason):
      throw .refused(status: status, "\(bus.url)\(path), \(method): \(bus.withoutSecrets(reason))")
    case .some(let failure): throw failure
    }
  }
}
