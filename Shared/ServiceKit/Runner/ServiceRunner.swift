import EventLoop
import Glibc
import RPC

/// Runs an executable: command line, configuration, loops, start, signals, graceful stop, exit code.
///
///     @main struct InventoryMain {
///       static func main() {
///         ServiceRunner.run(ServiceDescription(name: "inventory", summary: "…", settings: […])) { setup in
///           let store = try Store(setup.configuration[databaseURL])
///           setup.onStop("store") { await store.close() }
///           InventoryService(store).register(in: &setup.router)
///         }
///       }
///     }
public enum ServiceRunner {
  /// How long a stop may take before the process ends regardless.
  static let stopLimit = Duration.seconds(10)

  /// Never returns: the process ends with an ``ExitCode``. To be called on the main thread, before any other is
  /// started.
  /// - Parameter build: runs on a loop before the service listens; what it throws is the reason for exit code 3, or 2
  ///   when it is a ``ConfigurationError``.
  public static func run(
    _ service: ServiceDescription, _ build: @escaping @Sendable (inout ServiceSetup) async throws -> Void
  ) -> Never {
    switch command(of: service) {
    case .help:
      StandardStream.output.write(HelpText.render(service))
      exit(ExitCode.stopped)
    case .version:
      StandardStream.output.write("\(service.name) \(Version.current)\n")
      exit(ExitCode.stopped)
    case .check:
      check(service, configuration(of: service))
    case .run:
      start(service, configuration(of: service), build)
    }
  }

  private static func command(of service: ServiceDescription) -> ServiceCommand {
    do {
      return try ServiceCommand(parsing: CommandLine.arguments.dropFirst())
    } catch {
      StandardStream.error.write("\(service.name): \(error)\n")
      exit(ExitCode.badConfiguration)
    }
  }

  private static func configuration(of service: ServiceDescription) -> Configuration {
    let environment = Environment.current
    Log.configure(service: service.name, level: .info)
    do {
      let configuration = try Configuration(service.settings, environment: environment)
      Log.configure(service: service.name, level: configuration[CommonSettings.logLevel])
      for stranger in KnownSettings.strangers(in: environment, declared: service.settings).prefix(100) {
        Log.warning(
          "unknown setting", ["variable": "\(stranger.name)", "nearest": "\(stranger.nearest)"])
      }
      return configuration
    } catch {
      for problem in error.problems { Log.error("bad configuration", ["problem": "\(problem)"]) }
      exit(ExitCode.badConfiguration)
    }
  }

  private static func check(_ service: ServiceDescription, _ configuration: Configuration) -> Never {
    let signals = SignalWatcher()
    let problem = Lock<String??>(nil)
    Task {
      let found = await HealthProbe.problem(at: configuration[service.listen], configuration)
      problem.withLock { $0 = .some(found) }
      signals.wake()
    }
    guard signals.wait() == .woken, let found = problem.withLock({ $0 }) else { exit(ExitCode.failed) }
    StandardStream.output.write("\(service.name): \(found ?? "SERVING")\n")
    exit(found == nil ? .stopped : .failed)
  }

  private static func start(
    _ service: ServiceDescription, _ configuration: Configuration, _ build: @escaping Lifecycle.Build
  ) -> Never {
    raiseDescriptorLimit()
    let signals = SignalWatcher()
    let tls: TLSSetup
    do {
      tls = try TLSSetup(configuration)
      tls.warnOfExpiry()
    } catch {
      for problem in error.problems { Log.error("bad configuration", ["problem": "\(problem)"]) }
      exit(ExitCode.badConfiguration)
    }
    let group: EventLoopGroup
    do {
      group = try EventLoopGroup(loops: configuration[CommonSettings.loops])
    } catch {
      Log.error("cannot start", ["reason": LogValue(error)])
      exit(ExitCode.cannotStart)
    }
    let loop = group.next()
    let stop = StopSignal { signals.wake() }
    let result = Lock<ExitCode?>(nil)
    let setup = ServiceSetup(
      configuration: configuration, group: group, addresses: configuration[service.listen], tls: tls)
    setup.onReload("certificates") { try tls.reload() }
    Task(executorPreference: loop) {
      let code = await Lifecycle(service: service, stop: stop, loop: loop).run(setup, build)
      result.withLock { $0 = code }
      signals.wake()
    }
    let code = wait(signals, stop, setup.reloads) { result.withLock { $0 } }
    Log.info("stopped", ["exit_code": LogValue(code.rawValue)])
    exit(code)
  }

  /// A wish to stop may come twice: `timeout`, for one, signals the process and then its group, itself included.
  private static let oneWish = Duration.seconds(1)

  /// A connection is a descriptor, and the usual soft limit of 1 024 leaves none for the store and for other services. Where
  /// the hard limit is lower, that counts.
  private static func raiseDescriptorLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 65_536))
    if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 {
      Log.warning("the limit of open files could not be raised", ["reason": "\(SystemError("setrlimit").reason)"])
    }
  }

  /// Until the service has ended, by itself or after a signal. Once it stops, another signal or ten seconds end it at
  /// once.
  private static func wait(
    _ signals: SignalWatcher, _ stop: StopSignal, _ reloads: Reloads, _ result: () -> ExitCode?
  ) -> ExitCode {
    var deadline: UInt64?
    var askedAt: UInt64?
    while true {
      switch signals.wait(until: deadline) {
      case .woken:
        if let code = result() { return code }
        if deadline == nil { deadline = EventLoop.monotonicNanoseconds() + stopLimit.nanoseconds }
      case .signal(let number):
        let now = EventLoop.monotonicNanoseconds()
        if let askedAt, now - askedAt < oneWish.nanoseconds { continue }
        askedAt = now
        guard deadline == nil else {
          Log.warning("stopping at once, as asked a second time")
          return .cutOff
        }
        Log.info("stopping", ["signal": LogValue(number)])
        stop.fire(.asked)
      case .reload: reloads.run()
      case .timedOut:
        Log.error("did not stop within 10 s, ending at once")
        return .cutOff
      }
    }
  }

  /// Without exit handlers: threads of loops and stores may still run, and what they use must not be torn down.
  private static func exit(_ code: ExitCode) -> Never { _exit(code.rawValue) }
}
