import HTTP
import RPC
import ServiceKit
import Storage
import Stubs

/// Puts the gateway together.
enum Gateway {
  /// For messages that are being consumed when the gateway stops; the whole stop may take ten seconds.
  static let stopGrace = Duration.seconds(8)
  /// A message and what travels with it must fit a gRPC message of 4 MiB.
  static let maxMessageBytes = (4 << 20) - (64 << 10)

  /// - Parameter leases: the store once more, for what gateways share among themselves; nil on SQLite, where there is one.
  static func build(_ setup: inout ServiceSetup, _ database: Database, leases: Database?) async throws {
    let configuration = setup.configuration
    let oms = try OMSConfiguration(configuration)
    setup.serve(at: GatewaySettings.grpc)
    // Clients reach the gateway: nothing of omsconnector.internal.v1 is for them. What the services hand over comes in over
    // the Unix socket or mutual TLS.
    setup.servesTimings = false
    setup.reflectsInternalServices = false
    let access = try GatewayAccess(setup)
    let authentication = try access.authentication()
    if let authentication {
      setup.serverOptions.interceptors.append(authentication)
      setup.onReload("tokens") { try authentication.reload() }
    }

    let backends = Backends(setup)
    setup.onStop("channels") { backends.shutdown() }
    backends.forward(in: &setup)

    let journal = JournalStore(database: database)
    let group = setup.group
    let held = leases == nil ? HeldPartitions.all : HeldPartitions(journal.partitions)
    let inbound = InboundQueue(store: journal, held: held, executor: { group.next() }) {
      try await backends.consume($0, $1, $2)
    }

    let webhooks = OrderWebhooks(refusal: access.webhookRefusal(authentication)) { try await backends.check($0) }
    let callback = try callbackServer(configuration, oms, inbound, webhooks)
    serve(callback, "callback edge", &setup)
    let bus = oms.bus()
    let (registrar, registrationDuties) = try await registration(
      oms, bus, callbackURL: oms.callbackURL(at: callback.address), backends, database, shared: leases, &setup)
    let (outgoing, limiter) = outbound(journal, held, bus, registrar, &setup)
    let timings = TimingRecord(TimingStore(database), isShared: leases != nil, now: .now)
    let collector = TimingCollector(
      services: backends.channels, ownTimings: setup.timings, record: timings,
      sharing: leases.map { TimingSharing(database: $0) })
    let duties = registrationDuties + [.init(key: "timings") { await collector.keep(isStopping: { held.isStopping }) }]
    let watch = deliver(
      journal, inbound.destinations + outgoing.destinations, held, leases, duties, &setup
    ) { await limiter.share(among: $0) }
    let (states, outboxes) = serveJournal(journal, inbound, outgoing, backends, watch, &setup)

    setup.run("timings") { try await collector.run() }
    setup.onStop("timings") { await collector.stop() }
    ReportService(collector: collector).register(in: &setup.router)

    try serveAdmin(registrar, collector, states, outboxes, &setup)
    Log.info(
      "takes the OMS's messages",
      ["callback": "\(oms.callbackURL(at: callback.address))", "oms": "\(oms.url ?? "none: OMS_URL is not set")"])
  }

  private static func callbackServer(
    _ configuration: Configuration, _ oms: OMSConfiguration, _ inbound: InboundQueue, _ webhooks: OrderWebhooks
  ) throws -> HTTPServer {
    let signature = CallbackSignature(
      requiringOneOf: oms.requiresSignature ? oms.signing : nil, registers: oms.url != nil)
    let edge = CallbackEdge(
      signature: signature, inbound: inbound, synchronousMethods: configuration[GatewaySettings.synchronousMethods])
    var options = HTTPServerOptions()
    options.maxBodyBytes = maxMessageBytes
    options.rejection = { CallbackEdge.rejection($0) }
    return try HTTPServer(
      listeningOn: configuration[GatewaySettings.http], setting: GatewaySettings.http.name, options: options
    ) { $0.target.hasPrefix(OrderWebhooks.prefix) ? await webhooks.handle($0) : await edge.handle($0) }
  }

  /// The edge drains together with the gRPC calls: both begin when the service is told to stop.
  private static func serve(_ server: HTTPServer, _ name: String, _ setup: inout ServiceSetup) {
    setup.run(name) {
      await untilCancelled()
      await server.shutdown(grace: stopGrace)
    }
    // When the start fails behind it.
    setup.onStop(name) { await server.shutdown(grace: .zero) }
  }

  /// The admin port answers to the end, and says that the gateway is stopping.
  private static func serveAdmin(
    _ registrar: Registrar, _ collector: TimingCollector, _ states: QueueStates, _ outboxes: OutboxWatch,
    _ setup: inout ServiceSetup
  ) throws {
    let readiness = Readiness()
    let metrics = setup.metrics
    let edge = AdminEdge(readiness: readiness, registrar: registrar) {
      await GatewayMetrics.text(metrics, collector, states, outboxes, registrar)
    }
    var options = HTTPServerOptions()
    options.maxBodyBytes = 64 << 10
    options.maxConnections = 64
    let server = try HTTPServer(
      listeningOn: setup.configuration[GatewaySettings.admin], setting: GatewaySettings.admin.name, options: options
    ) { await edge.handle($0) }
    setup.run("readiness") {
      await untilCancelled()
      readiness.end()
    }
    setup.onStop("admin port") { await server.shutdown(grace: .milliseconds(500)) }
  }
}

/// Returns when the task is cancelled.
func untilCancelled() async {
  let (nothing, end) = AsyncStream<Never>.makeStream()
  for await _ in nothing {}
  end.finish()
}
