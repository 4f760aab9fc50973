import EventLoop
import Messages
import RPC
import ServiceKit
import Stubs

/// `omsconnector.internal.v1.DeliveryService`: what the services owe the OMS, and what they ask it.
struct DeliveryService: Omsconnector.Internal.V1.DeliveryService {
  let queue: OutboundQueue
  let link: OutboundLink

  func enqueue(
    _ request: Omsconnector.Internal.V1.EnqueueRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.EnqueueResponse {
    let message = try OutgoingMessage(request, traceparent: context.trace.traceparent)
    let enqueued: Enqueued
    do {
      enqueued = try await queue.enqueue(message, at: .now)
    } catch {
      throw RPCError(storing: error, what: "the message")
    }
    switch enqueued {
    case .new(let id), .known(let id): return .init(journalId: id)
    case .differs(let id):
      throw RPCError(
        .alreadyExists,
        "delivery_id \(message.deliveryID) is that of another message, journal \(id): ids are unique for ever; was a "
          + "store reset or copied?",
        details: [.errorInfo(reason: "DELIVERY_ID_REUSED", domain: "omsconnector", metadata: ["journal_id": "\(id)"])])
    }
  }

  func call(
    _ request: Omsconnector.Internal.V1.CallRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.CallResponse {
    let message = try OutgoingMessage(request, traceparent: context.trace.traceparent)
    let (startedAt, start) = (WallTime.now, EventLoop.monotonicNanoseconds())
    let verdict = try await link.ask(message, limit: context.remainingTime)
    let duration = Duration.nanoseconds(Int64(EventLoop.monotonicNanoseconds() - start))
    await note(message, verdict, startedAt: startedAt, duration: duration)
    switch verdict {
    case .taken(let result): return .init(result: result.isEmpty ? Array("null".utf8) : result)
    case .refused(let reason, _): throw RPCError(.failedPrecondition, reason)
    // The OMS has words of its own for it: it has understood the question.
    case .failed(let reason, let error) where !error.isEmpty: throw RPCError(.failedPrecondition, reason)
    case .failed(let reason, _): throw RPCError(.unavailable, reason)
    case .away(let reason, let retryAfter):
      throw RPCError(.unavailable, reason, details: retryAfter.map { [.retryInfo($0)] } ?? [])
    }
  }

  /// The OMS has answered, whatever the journal says to that: the caller gets to know it.
  private func note(
    _ message: OutgoingMessage, _ verdict: BusVerdict, startedAt: WallTime, duration: Duration
  ) async {
    do {
      try await queue.store.note(message, verdict.end, startedAt: startedAt, duration: duration)
    } catch {
      Log.error("call not in the journal", ["method": "\(message.method)", "reason": LogValue(error)])
    }
  }
}
