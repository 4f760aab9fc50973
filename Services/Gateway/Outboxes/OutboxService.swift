import Messages
import RPC
import ServiceKit
import Stubs

/// `omsconnector.v1.OutboxService`: what the gateway refused, wherever it is.
struct OutboxService: Omsconnector.V1.OutboxService {
  let outboxes: ServiceOutboxes

  func listRefusedMessages(
    _ request: Omsconnector.V1.ListRefusedMessagesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListRefusedMessagesResponse {
    let asked = try PageRequest(
      size: request.pageSize, token: request.pageToken, of: "\(request.service)\u{0}\(request.showHandled)")
    let after = asked.place
    var response = Omsconnector.V1.ListRefusedMessagesResponse()
    let services = request.service.isEmpty ? outboxes.services : [request.service]
    // A page is of one service, the next one of it or of the one behind it.
    let first = after.isEmpty ? nil : try outboxes.service(of: after)
    for service in services.drop(while: { first != nil && $0 != first }) {
      do {
        let page = try await outboxes.call(
          ServiceOutboxes.Calls.listRefused,
          .init(
            afterDeliveryId: service == first ? after : "", limit: Int32(asked.limit), showHandled: request.showHandled),
          of: service, timeout: ServiceOutboxes.timeout)
        guard let last = page.messages.last else { continue }
        response.messages = page.messages.map { Self.masked($0, of: service) }
        // There may be none behind it, which costs whoever asks one call.
        response.nextPageToken = asked.token(after: last.deliveryId)
        return response
      } catch let error as RPCError where request.service.isEmpty && service != first {
        // One without an outbox has nothing to show.
        if error.code != .notFound { response.missingServices.append("\(service): \(error.message)") }
      }
    }
    return response
  }

  func getRefusedMessage(
    _ request: Omsconnector.V1.GetRefusedMessageRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetRefusedMessageResponse {
    let service = try outboxes.service(of: request.deliveryId)
    let found = try await outboxes.call(
      ServiceOutboxes.Calls.getRefused, .init(deliveryId: request.deliveryId), of: service,
      timeout: context.remainingTime)
    var message = Self.masked(found.message ?? .init(), of: service)
    let body = MaskedText(found.body)
    (message.body, message.bodyCut) = (body.text, body.isCut)
    return .init(message: message)
  }

  func retryRefusedMessages(
    _ request: Omsconnector.V1.RetryRefusedMessagesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.RetryRefusedMessagesResponse {
    let handler = try JournalService.handler(request.retriedBy, "retried_by", context)
    guard request.deliveryId.isEmpty != request.service.isEmpty else {
      throw RPCError.invalid(field: "delivery_id", "delivery_id: send one, or a service for all that it has")
    }
    let service = request.service.isEmpty ? try outboxes.service(of: request.deliveryId) : request.service
    let answer = try await outboxes.call(
      ServiceOutboxes.Calls.retryRefused, .init(deliveryId: request.deliveryId, retriedBy: handler), of: service,
      timeout: context.remainingTime)
    return .init(retried: answer.retried, deliveryId: answer.deliveryId)
  }

  func discardRefusedMessage(
    _ request: Omsconnector.V1.DiscardRefusedMessageRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.DiscardRefusedMessageResponse {
    let handler = try JournalService.handler(request.discardedBy, "discarded_by", context)
    try JournalService.check(reason: request.reason)
    let service = try outboxes.service(of: request.deliveryId)
    let answer = try await outboxes.call(
      ServiceOutboxes.Calls.discardRefused,
      .init(deliveryId: request.deliveryId, reason: request.reason, discardedBy: handler), of: service,
      timeout: context.remainingTime)
    return .init(message: Self.masked(answer.message ?? .init(), of: service))
  }

  private static func masked(
    _ message: Omsconnector.V1.RefusedMessage, of service: String
  ) -> Omsconnector.V1.RefusedMessage {
    var message = message
    message.service = service
    message.reason = MaskedText.line(message.reason)
    return message
  }
}
