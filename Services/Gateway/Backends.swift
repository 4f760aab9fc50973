import EventLoop
import Messages
import RPC
import ServiceKit
import Stubs

/// The services behind the gateway and the ways to them.
struct Backends: Sendable {
  /// How long a service may take to consume a message: the bus itself gives up at some time.
  static let consumeTimeout = Duration.seconds(30)
  static let healthTimeout = Duration.seconds(2)

  let channels: [(service: ConnectorService, channel: Channel)]

  init(_ setup: ServiceSetup) {
    let configuration = setup.configuration
    var options = setup.channelOptions
    options.watchesHealth = true
    channels = ConnectorService.allCases.map {
      ($0, Channel(target: configuration[GatewaySettings.target(of: $0)], group: setup.group, options: options))
    }
  }

  /// Passes on the calls of every public service that is not the gateway's own, byte for byte. Internal services are
  /// not reachable through the gateway.
  func forward(in setup: inout ServiceSetup) {
    for (service, channel) in channels {
      // Under its own name for whoever watches the stack, whether it has public services or not.
      setup.health(of: service.rawValue) { await Self.health(of: "", channel) }
      for name in service.publicServices {
        // A service whose issue has not come yet has no description.
        guard let description = DescriptorPool.service(named: name) else { continue }
        for method in description.methods { setup.router.forward(ForwardedMethod(method, of: name), to: channel) }
        setup.health(of: name) { await Self.health(of: name, channel) }
      }
    }
  }

  /// Hands a message to its service; returns when the effect is durable.
  func consume(
    _ service: ConnectorService, _ request: Omsconnector.Internal.V1.ConsumeRequest, _ trace: TraceContext
  ) async throws -> Omsconnector.Internal.V1.ConsumeResponse {
    guard let channel = channels.first(where: { $0.service == service })?.channel else {
      throw RPCError(.unavailable, "\(service) is not configured")
    }
    return try await channel.unary(
      Omsconnector.Internal.V1.MessageConsumerServiceMethods.consume, request,
      options: CallOptions(timeout: Self.consumeTimeout, trace: trace))
  }

  /// Whether the shop may change an order.
  func check(_ question: Omsconnector.V1.CheckOrderChangeRequest) async throws {
    guard let channel = channels.first(where: { $0.service == .sales })?.channel else {
      throw RPCError(.unavailable, "the sales service is not configured")
    }
    _ = try await channel.unary(
      Omsconnector.V1.SalesServiceMethods.checkOrderChange, question,
      options: CallOptions(timeout: OrderWebhooks.timeout))
  }

  func shutdown() {
    for (_, channel) in channels { channel.shutdown() }
  }

  private static func health(of name: String, _ channel: Channel) async -> HealthService.Status {
    do {
      return try await channel.unary(
        Grpc.Health.V1.HealthMethods.check, .init(service: name), options: CallOptions(timeout: healthTimeout)
      ).status
    } catch {
      Log.debug("not healthy", ["target": "\(channel.target)", "service": "\(name)", "reason": LogValue(error)])
      return .notServing
    }
  }
}

extension ForwardedMethod {
  init(_ method: ServiceDescriptor.Method, of service: String) {
    let type: CallType =
      switch (method.isClientStreaming, method.isServerStreaming) {
      case (false, false): .unary
      case (true, false): .clientStreaming
      case (false, true): .serverStreaming
      case (true, true): .bidirectional
      }
    let idempotency: IdempotencyLevel =
      switch method.idempotency {
      case .unknown: .unknown
      case .noSideEffects: .noSideEffects
      case .idempotent: .idempotent
      }
    self.init(service: service, method: method.name, type: type, idempotency: idempotency)
  }
}
