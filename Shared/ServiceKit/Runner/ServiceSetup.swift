import EventLoop
import RPC

/// What an executable puts together before it serves: handlers, background work, and what to stop at the end.
public struct ServiceSetup: Sendable {
  public let configuration: Configuration
  /// The loops that serve; clients and background work run on them as well.
  public let group: EventLoopGroup
  /// Records what the service itself times, e.g. messages of the bus. gRPC calls are timed by the runner.
  public let timings: Timings
  /// Counts calls, those that are taken and those that are made through ``channelOptions``.
  public let metrics: ServiceMetrics
  /// Register handlers here. Health, reflection and timings are added by the runner.
  public var router = Router()
  /// TLS on TCP addresses, as the settings have it. Channels to other services take `tls.client`.
  public let tls: TLSSetup
  /// Where to serve, and the setting that says so; LISTEN's addresses to begin with.
  public private(set) var addresses: [(address: Address, setting: String)]
  public var serverOptions = ServerOptions()
  /// Whether the internal TimingService is served. Not by an executable that outsiders reach.
  public var servesTimings = true
  /// Whether reflection shows services of `omsconnector.internal`. Not in an executable that outsiders reach.
  public var reflectsInternalServices = true

  var probes: [(name: String, probe: HealthService.Probe)] = []
  var tasks: [(name: String, body: @Sendable () async throws -> Void)] = []
  var stops: [(name: String, body: @Sendable () async -> Void)] = []

  let reloads = Reloads()
  let readiness = Readiness()

  init(configuration: Configuration, group: EventLoopGroup, addresses: [Address], tls: TLSSetup) {
    self.configuration = configuration
    self.tls = tls
    self.group = group
    timings = Timings(loops: group.loops.count)
    metrics = ServiceMetrics(loops: group.loops.count)
    self.addresses = addresses.map { ($0, CommonSettings.listenName) }
  }

  /// For channels to other services: their calls are counted, and go over TLS on TCP where the settings say so.
  public var channelOptions: ChannelOptions {
    var options = ChannelOptions()
    options.interceptors = [metrics.client]
    options.tls = tls.client
    return options
  }

  /// Serves at the addresses of a setting of the service's own, too.
  public mutating func serve(at setting: Setting<[Address]>) {
    addresses += configuration[setting].map { ($0, setting.name) }
  }

  /// Work that goes on while the service runs, on a loop. It starts once the service listens and is cancelled when the
  /// service stops. What it throws before that stops the service with exit code 1.
  public mutating func run(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
    tasks.append((name, body))
  }

  /// Called when calls have ended, the last one first: what was opened last is closed first. Also called when the start
  /// fails behind it.
  public mutating func onStop(_ name: String, _ body: @escaping @Sendable () async -> Void) {
    stops.append((name, body))
  }

  /// Called when the process gets SIGHUP, to read a file again; on the main thread, where it may block. What it throws is
  /// logged, and what was there before has to stay in use then.
  public func onReload(_ name: String, _ body: @escaping @Sendable () throws -> Void) { reloads.add(name, body) }

  /// Lets `grpc.health.v1` answer for somebody else under `name`: a gateway for the services behind it.
  public mutating func health(of name: String, _ probe: @escaping HealthService.Probe) {
    probes.append((name, probe))
  }
}
