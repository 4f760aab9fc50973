import EventLoop
import Glibc
import Messages
import RPC
import Stubs
import Synchronization
import Testing

@testable import ServiceKit

/// What happens between the start and the exit code, without a process of its own.
@Suite("Lifecycle")
struct LifecycleTests {
  /// What happened, in order.
  private final class Events: Sendable {
    private let list = Lock<[String]>([])
    func add(_ event: String) { list.withLock { $0.append(event) } }
    var all: [String] { list.withLock { $0 } }
  }

  private struct Refusal: Error {}

  private let path = "/tmp/servicekit-\(getpid())-\(UInt32.random(in: .min ... .max))/x.sock"

  private func removeSocket() {
    unlink(path)
    unlink(path + ".lock")
    rmdir(String(path.dropLast("/x.sock".count)))
  }

  /// Runs a service until it has ended.
  private func run(
    stop: StopSignal = StopSignal(), _ build: @escaping Lifecycle.Build
  ) async throws -> ExitCode {
    let service = ServiceDescription(name: "x", summary: "a test")
    let configuration = try Configuration(service.settings, environment: [:])
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let setup = ServiceSetup(
      configuration: configuration, group: group, addresses: [.unix(path: path)], tls: try TLSSetup(configuration))
    return await Lifecycle(service: service, stop: stop, loop: group.next()).run(setup, build)
  }

  @Test("it serves, health and timings included, until it is asked to stop; then what was opened last is closed first")
  func stops() async throws {
    defer { removeSocket() }
    let events = Events()
    let stop = StopSignal()
    let path = path
    let code = try await run(stop: stop) { setup in
      setup.onStop("first") { events.add("first closed") }
      setup.onStop("second") { events.add("second closed") }
      let group = setup.group
      setup.run("client") {
        let channel = Channel(target: Target(.unix(path: path)), group: group)
        let status = try await channel.unary(Grpc.Health.V1.HealthMethods.check, .init()).status
        events.add("\(status)")
        let timings = try await channel.unary(Omsconnector.Internal.V1.TimingServiceMethods.getTimings, .init())
        events.add(timings.service)
        channel.shutdown()
        stop.fire(.asked)
      }
    }
    #expect(code == .stopped)
    #expect(events.all == ["SERVING", "x", "second closed", "first closed"])
  }

  @Test("background work is cancelled by the stop and awaited before anything is closed")
  func cancels() async throws {
    defer { removeSocket() }
    let events = Events()
    let stop = StopSignal()
    let code = try await run(stop: stop) { setup in
      setup.onStop("store") { events.add("closed") }
      setup.run("work") {
        stop.fire(.asked)
        // Ends when it is cancelled.
        for await _ in AsyncStream<Void>.makeStream().stream {}
        events.add("work ended")
        throw CancellationError()
      }
    }
    #expect(code == .stopped)
    #expect(events.all == ["work ended", "closed"])
  }

  @Test("background work that fails stops the service with a code that says so")
  func fails() async throws {
    defer { removeSocket() }
    let events = Events()
    let code = try await run { setup in
      setup.onStop("store") { events.add("closed") }
      setup.run("work") { throw Refusal() }
    }
    #expect(code == .failed)
    #expect(events.all == ["closed"])
  }

  @Test("a start that fails closes what was opened before, and says whose fault it was")
  func cannotStart() async throws {
    defer { removeSocket() }
    let events = Events()
    let code = try await run { setup in
      setup.onStop("store") { events.add("closed") }
      throw Refusal()
    }
    #expect(code == .cannotStart)
    #expect(events.all == ["closed"])
    let badConfiguration = try await run { _ in throw ConfigurationError(problems: ["a and b exclude each other"]) }
    #expect(badConfiguration == .badConfiguration)
  }

  @Test("a second process on the same address cannot start, and the first goes on")
  func addressInUse() async throws {
    defer { removeSocket() }
    let stop = StopSignal()
    let (events, path) = (Events(), path)
    let code = try await run(stop: stop) { [self] setup in
      let group = setup.group
      setup.run("second") {
        events.add("\(try await run { _ in })")
        let channel = Channel(target: Target(.unix(path: path)), group: group)
        events.add("\(try await channel.unary(Grpc.Health.V1.HealthMethods.check, .init()).status)")
        stop.fire(.asked)
      }
    }
    #expect(code == .stopped)
    #expect(events.all == ["cannotStart", "SERVING"])
  }

  @Test("the first reason to stop counts, and a stop before the start is kept")
  func stopSignal() async {
    let told = Atomic<Int>(0)
    let stop = StopSignal { told.add(1, ordering: .relaxed) }
    stop.fire(.failed)
    stop.fire(.asked)
    #expect(await stop.wait() == .failed)
    #expect(told.load(ordering: .relaxed) == 1)
  }

  @Test("the main thread is woken from elsewhere, and gives up at the deadline")
  func watcher() {
    let watcher = SignalWatcher()
    watcher.wake()
    #expect(watcher.wait() == .woken)
    #expect(watcher.wait(until: 1) == .timedOut)
    #expect(watcher.wait(until: EventLoop.monotonicNanoseconds() + 2_000_000) == .timedOut)
  }
}
