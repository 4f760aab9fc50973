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

  static func build(_ setup: inout ServiceSetup, _ database: Database, _ lock: StoreLock) async throws {
    let configuration = setup.configuration
    let oms = try OMSConfiguration(configuration)
    setup.serve(at: GatewaySettings.grpc)
    // Clients reach the gateway: nothing of omsconnector.internal.v1 is for them. What the services hand over comes in over
    // the Unix socket or mutual TLS.
    setup.servesTimings = false
    setup.reflectsInternalServices = false
    if let authentication = try GatewayAccess(setup).authentication() {
      setup.serverOptions.interceptors.append(authentication)
      setup.onReload("tokens") { try authentication.reload() }
    }

    let backends = Backends(setup)
    setup.onStop("channels") { backends.shutdown() }
    backends.forward(in: &setup)

    let journal = JournalStore(database: database)
    let inbound = InboundQueue(store: journal, heldBack: { heldBack(without: lock) }) {
      try await backends.consume($0, $1, $2)
    }
    for dispatcher in inbound.dispatchers {
      setup.run("messages for \(dispatcher.destination)") { await dispatcher.run() }
    }

    let callback = try callbackServer(configuration, oms, inbound)
    serve(callback, "callback edge", &setup)
    let bus = oms.bus()
    let registrar = try await registration(
      oms, bus, callbackURL: oms.callbackURL(at: callback.address), backends, database, &setup)
    let outgoing = outbound(journal, lock, bus, registrar, &setup)
    let (states, outboxes) = serveJournal(journal, inbound, outgoing, backends, &setup)

    let timings = TimingRecord(TimingStore(database), now: .now)
    let collector = TimingCollector(services: backends.channels, ownTimings: setup.timings, record: timings)
    setup.run("timings") { try await collector.run() }
    setup.onStop("timings") { await collector.stop() }
    ReportService(collector: collector).register(in: &setup.router)

    try serveAdmin(registrar, collector, states, outboxes, &setup)
    Log.info(
      "takes the OMS's messages",
      ["callback": "\(oms.callbackURL(at: callback.address))", "oms": "\(oms.url ?? "none: OMS_URL is not set")"])
  }

  /// Why nothing may be delivered now; nil when something may. Without its lock the gateway can't know whether another one
  /// delivers the same messages. Whatever comes in is taken: the store refuses it when there is another one.
  static func heldBack(without lock: StoreLock) -> String? {
    if lock.isHeld { return nil }
    return "the gateway has lost its lock on the store with its PostgreSQL server: messages wait until it has it again"
  }

  private static func callbackServer(
    _ configuration: Configuration, _ oms: OMSConfiguration, _ inbound: InboundQueue
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
    ) { await edge.handle($0) }
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
