import Messages
import RPC
import ServiceKit
import Stubs

/// The outboxes of the services: what they owe the OMS and the gateway does not have yet.
struct ServiceOutboxes: Sendable {
  typealias Calls = Omsconnector.Internal.V1.OutboxServiceMethods

  /// For a look.
  static let timeout = Duration.seconds(2)

  private let channels: [(service: String, channel: Channel)]

  init(_ channels: [(service: String, channel: Channel)]) {
    self.channels = channels.sorted { $0.service < $1.service }
  }

  /// Of all services, in their order.
  var services: [String] { channels.map(\.service) }

  /// Asks all services at once. Those that have no outbox are left out, those that don't answer say why.
  func depths() async -> [Omsconnector.V1.ServiceOutbox] {
    await withTaskGroup(of: Omsconnector.V1.ServiceOutbox?.self) { group in
      for (service, channel) in channels { group.addTask { await Self.depth(service, channel) } }
      return await group.reduce(into: []) { if let outbox = $1 { $0.append(outbox) } }.sorted {
        $0.service < $1.service
      }
    }
  }

  private static func depth(_ service: String, _ channel: Channel) async -> Omsconnector.V1.ServiceOutbox? {
    do {
      let answer = try await channel.unary(Calls.getOutbox, .init(), options: CallOptions(timeout: timeout))
      var outbox = answer.outbox ?? .init()
      outbox.service = service
      return outbox
    } catch let error as RPCError where error.code == .unimplemented {
      return nil
    } catch {
      // Where the service is, is for the log.
      Log.debug("does not say what is in its outbox", ["service": "\(service)", "reason": LogValue(error)])
      let error = error as? RPCError
      return .init(
        service: service, error: error?.cause is NoConnection ? "can't be reached" : error?.message ?? "failed")
    }
  }

  /// Asks one service.
  ///
  /// - Throws: INVALID_ARGUMENT when there is no such service; NOT_FOUND when it has no outbox.
  func call<Request: Message, Response: Message>(
    _ method: MethodDescriptor<Request, Response>, _ request: Request, of service: String, timeout: Duration?
  ) async throws -> Response {
    guard let channel = channels.first(where: { $0.service == service })?.channel else {
      throw RPCError.invalid(
        field: "service",
        "service \(JSONText.quoted(service, limit: 100)) is not one of \(services.joined(separator: ", "))")
    }
    do {
      return try await channel.unary(method, request, options: CallOptions(timeout: timeout))
    } catch let error as RPCError where error.code == .unimplemented {
      throw RPCError(.notFound, "\(service) has no outbox")
    } catch let error as RPCError where error.cause is NoConnection {
      throw RPCError(.unavailable, "\(service) can't be reached; see omsctl status", cause: error)
    }
  }

  /// Whose outbox gave a delivery id, which begins with the service's name.
  ///
  /// - Throws: NOT_FOUND.
  func service(of deliveryID: String) throws(RPCError) -> String {
    if deliveryID.isEmpty { throw .invalid(field: "delivery_id", "delivery_id is missing; see ListRefusedMessages") }
    guard let service = services.first(where: { deliveryID.hasPrefix($0 + "-") }) else {
      throw RPCError(
        .notFound,
        "\(JSONText.quoted(deliveryID, limit: 100)) is no message of an outbox: their ids begin with "
          + services.joined(separator: "-, ") + "-")
    }
    return service
  }
}
