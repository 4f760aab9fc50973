import Messages
import RPC
import Storage
import Stubs

/// `omsconnector.internal.v1.MessageConsumerService`, which every service has: a table of the bus methods that it consumes.
///
/// Each message is timed under its method, whatever became of it.
public struct MessageConsumer: Omsconnector.Internal.V1.MessageConsumerService {
  private let service: String
  private let methods: [String: ConsumedMethod]
  private let timings: Timings
  private let status: @Sendable (any Error) -> RPCError

  /// - Parameters:
  ///   - service: as in ``ServiceDescription/name``.
  ///   - methods: exact names, each once.
  ///   - status: what the service's own errors mean for the gateway: INVALID_ARGUMENT when the message can never be consumed.
  public init(
    service: String, methods: [ConsumedMethod], timings: Timings,
    status: @escaping @Sendable (any Error) -> RPCError = { RPCError(storing: $0, what: "the message") }
  ) {
    self.service = service
    self.methods = Dictionary(methods.map { ($0.name, $0) }) { first, _ in
      preconditionFailure("\(first.name) is consumed twice")
    }
    self.timings = timings
    self.status = status
  }

  /// The names, in order.
  public func listMethods(
    _ request: Omsconnector.Internal.V1.ListMethodsRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.ListMethodsResponse {
    .init(methods: methods.keys.sorted())
  }

  /// Consumes one message.
  public func consume(
    _ request: Omsconnector.Internal.V1.ConsumeRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.ConsumeResponse {
    guard let method = methods[request.method] else { throw unknown(request.method) }
    let start = ContinuousClock.now
    var failed = true
    defer { timings.record(kind: .busMethod, endpoint: method.name, failed: failed, duration: .now - start) }
    do {
      let result = try await method.consume(request, context.trace)
      failed = false
      return .init(result: result)
    } catch let error as MessageError {
      throw RPCError(.invalidArgument, error.description)
    } catch {
      throw status(error)
    }
  }

  private func unknown(_ method: String) -> RPCError {
    let known = methods.isEmpty ? "no method yet" : methods.keys.sorted().joined(separator: ", ")
    return RPCError(.unimplemented, "\(service) does not consume \"\(method.prefix(200))\"; it consumes \(known)")
  }
}
