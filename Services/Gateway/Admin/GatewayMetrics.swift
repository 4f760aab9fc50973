import Messages
import ServiceKit

/// `/metrics`: the gateway's own, and what it has collected from the services behind it.
enum GatewayMetrics {
  static func text(
    _ own: ServiceMetrics, _ collector: TimingCollector, _ states: QueueStates, _ outboxes: OutboxWatch,
    _ registrar: Registrar
  ) async -> String {
    let (replicas, endpoints) = await collector.totals()
    var text = Exposition()
    own.write(to: &text)
    write(replicas: replicas, to: &text)
    write(endpoints: endpoints, to: &text)
    text.begin("omsconnector_registered", .gauge, "1 while the connector is registered with the OMS")
    text.sample("omsconnector_registered", [:], await registrar.machine.state == .registered ? 1 : 0 as UInt64)
    await QueueMetrics.write(states, now: .now, to: &text)
    write(outboxes: await outboxes.last, now: .now, to: &text)
    return text.text
  }

  /// Of services that answered when they were last asked.
  static func write(outboxes: [Omsconnector.V1.ServiceOutbox], now: WallTime, to text: inout Exposition) {
    func gauge(_ name: String, _ help: String, _ value: (Omsconnector.V1.ServiceOutbox) -> Double) {
      text.begin(name, .gauge, help)
      for outbox in outboxes { text.sample(name, ["service": outbox.service], value(outbox)) }
    }
    gauge(
      "omsconnector_outbox_messages",
      "Messages that a service owes the OMS and has not handed to the gateway; at most 10000 are counted"
    ) { Double($0.depth) }
    gauge("omsconnector_outbox_oldest_age_seconds", "Since when the oldest of them waits; 0 when there is none") {
      guard let oldest = $0.oldestAddedAt.flatMap({ WallTime($0) }), oldest < now else { return 0 }
      return Double((now - oldest).nanoseconds) / 1e9
    }
    gauge("omsconnector_outbox_refused", "Messages that the gateway refused and nobody has done anything about") {
      Double($0.refused)
    }
  }

  private static func write(replicas: [(service: ConnectorService, count: Int)], to text: inout Exposition) {
    text.begin("omsconnector_replicas", .gauge, "Replicas of a service that answered when they were last asked")
    for (service, count) in replicas {
      text.sample("omsconnector_replicas", ["service": service.rawValue], UInt64(count))
    }
  }

  /// Of all replicas that a service has had since the gateway's start: one that starts anew counts from zero, the sum goes
  /// on.
  static func write(endpoints: [TimingHistory.Endpoint: Histogram], to text: inout Exposition) {
    let rows = endpoints.sorted { $0.key < $1.key }
    func labels(_ endpoint: TimingHistory.Endpoint) -> Exposition.Labels {
      let kind = endpoint.kind == .busMethod ? "bus" : "grpc"
      return ["service": endpoint.service, "kind": kind, "endpoint": endpoint.name]
    }
    let duration = "omsconnector_endpoint_duration_seconds"
    text.begin(duration, .histogram, "How long a service took for a gRPC call, or for a message of the service bus")
    for (endpoint, histogram) in rows { text.histogram(duration, labels(endpoint), histogram) }
    let failures = "omsconnector_endpoint_failures_total"
    text.begin(failures, .counter, "Calls and messages that ended with an error")
    for (endpoint, histogram) in rows { text.sample(failures, labels(endpoint), histogram.failures) }
  }
}
