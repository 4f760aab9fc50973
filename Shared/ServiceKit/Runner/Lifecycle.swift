import EventLoop
import Messages
import RPC

/// A service's life on its loops: put together, listen, run, stop.
struct Lifecycle: Sendable {
  typealias Build = @Sendable (inout ServiceSetup) async throws -> Void

  /// For the calls that are under way; the rest of the ten seconds is for closing what was opened.
  static let grace = Duration.seconds(8)

  let service: ServiceDescription
  let stop: StopSignal
  let loop: EventLoop

  func run(_ setup: ServiceSetup, _ build: Build) async -> ExitCode {
    var setup = setup
    do {
      try await build(&setup)
    } catch let error as ConfigurationError {
      for problem in error.problems { Log.error("bad configuration", ["problem": "\(problem)"]) }
      await close(setup)
      return .badConfiguration
    } catch {
      Log.error("cannot start", ["reason": LogValue(error)])
      await close(setup)
      return .cannotStart
    }
    return await serve(setup)
  }

  private func serve(_ setup: ServiceSetup) async -> ExitCode {
    var setup = setup
    let health = addStandardServices(to: &setup)
    // What refuses calls stands behind what counts and logs them.
    let watching: [any ServerInterceptor] = [setup.metrics.server, setup.timings, CallLog(), InternalAPIGuard()]
    setup.serverOptions.interceptors = watching + setup.serverOptions.interceptors
    let refused = RefusedConnections()
    setup.serverOptions.connectionRefused = { peer, reason in refused.report(reason, from: peer) }
    let server = Server(group: setup.group, router: setup.router, options: setup.serverOptions)
    setup.metrics.count { server.connectionCount }
    do {
      let addresses = try listen(server, setup.addresses, setup.tls.server)
      Log.info("started", ["addresses": .list(addresses), "version": "\(Version.current)"])
    } catch {
      Log.error("cannot start", ["reason": LogValue(error)])
      await server.shutdown(grace: .zero)
      await close(setup)
      return .cannotStart
    }
    let tasks = setup.tasks.map { start($0.name, $0.body) }
    let reason = await stop.wait()
    health.drain()
    for task in tasks { task.cancel() }
    let allEnded = await server.shutdown(grace: Self.grace)
    for task in tasks { await task.value }
    await close(setup)
    if reason == .failed { return .failed }
    return allEnded ? .stopped : .cutOff
  }

  private func addStandardServices(to setup: inout ServiceSetup) -> HealthService {
    if setup.servesTimings {
      TimingService(service: service.name, timings: setup.timings).register(in: &setup.router)
    }
    let health = HealthService(services: setup.router.services)
    for (name, probe) in setup.probes { health.delegate(name, to: probe) }
    setup.readiness.tell(health)
    health.register(in: &setup.router)
    ReflectionServices.register(in: &setup.router, showsInternal: setup.reflectsInternalServices)
    return health
  }

  private func listen(
    _ server: Server, _ addresses: [(address: Address, setting: String)], _ tls: TLSServerContext?
  ) throws -> [String] {
    try addresses.map { address, setting in
      if case .unix(let path) = address { try SocketDirectory.create(for: path) }
      do throws(AddressError) {
        return try server.listen(on: address, tls: tls).description
      } catch {
        throw ListenError(setting: setting, reason: error)
      }
    }
  }

  private func start(_ name: String, _ body: @escaping @Sendable () async throws -> Void) -> Task<Void, Never> {
    Task(executorPreference: loop) { [stop] in
      do {
        try await body()
      } catch {
        guard !Task.isCancelled else { return }
        Log.error("\(name) failed", ["reason": LogValue(error)])
        stop.fire(.failed)
      }
    }
  }

  private func close(_ setup: ServiceSetup) async {
    for (name, body) in setup.stops.reversed() {
      Log.debug("closing", ["what": "\(name)"])
      await body()
    }
  }
}

/// An address that the service cannot listen on, with the setting that names it.
struct ListenError: Error, CustomStringConvertible {
  let setting: String
  let reason: AddressError

  var description: String { "\(setting): \(reason)" }
}
