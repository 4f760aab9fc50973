import EventLoop
import RPC
import ServiceKit
import Synchronization
import Testing

@testable import Gateway

/// An OMS that answers from lists, then with success for ever.
final class FakePort: RegistrationPort {
  struct State {
    var registrations: [RegistrationFailure?] = []
    var others: [ServiceBusError?] = []
    var checks: [RegistrationCheck] = []
    var calls: [String] = []
    var topics: [[String]] = []
  }
  let state: Lock<State>

  init(_ registrations: [RegistrationFailure?] = [], others: [ServiceBusError?] = []) {
    state = Lock(State(registrations: registrations, others: others))
  }

  var calls: [String] { state.withLock { $0.calls } }
  func count(_ call: String) -> Int { calls.count { $0 == call } }

  func register(
    _ content: RegistrationContent, _ manner: RegistrationManner
  ) async throws(RegistrationFailure) -> RegistrationResult {
    let failure = state.withLock { state -> RegistrationFailure? in
      state.calls.append("register \(manner)")
      state.topics.append(content.topics)
      return state.registrations.isEmpty ? nil : state.registrations.removeFirst()
    }
    if let failure { throw failure }
    return .accepted
  }

  func unregister() async throws(ServiceBusError) { try other("unregister") }
  func disable() async throws(ServiceBusError) { try other("disable") }

  func check(_ content: RegistrationContent) async -> RegistrationCheck {
    state.withLock { state in
      state.calls.append("check")
      return state.checks.isEmpty ? .present : state.checks.removeFirst()
    }
  }

  private func other(_ call: String) throws(ServiceBusError) {
    let failure = state.withLock { state -> ServiceBusError? in
      state.calls.append(call)
      return state.others.isEmpty ? nil : state.others.removeFirst()
    }
    if let failure { throw failure }
  }
}

/// Keeps in memory.
final class KeptInMemory: RegistrationMemory {
  let registrations = Lock<[KeptRegistration]>([])
  let topics = Lock<[[KeptTopic]]>([])
  let isBroken = Atomic(false)
  struct Broken: Error {}

  func save(_ registration: KeptRegistration) async throws {
    if isBroken.load(ordering: .relaxed) { throw Broken() }
    registrations.withLock { $0.append(registration) }
  }

  func save(topics: [KeptTopic]) async throws { self.topics.withLock { $0.append(topics) } }
}

@Suite struct RegistrarTests {
  private static let down = RegistrationFailure(reason: .unreachable("http://oms: nobody answers"), isLost: false)
  private static let nobody = ServiceBusError.unreachable("nobody")
  private let memory = KeptInMemory()

  private func registrar(
    _ port: FakePort?, kept: KeptRegistration = .init(), signing: SigningSecrets? = nil,
    timing: RegistrationTiming = .init()
  ) -> Registrar {
    Registrar(port: port, memory: memory, kept: kept, signing: signing, timing: timing)
  }

  private static func quick(check: Duration = .seconds(300)) -> RegistrationTiming {
    RegistrationTiming(
      backOff: BackOff(first: .milliseconds(1), limit: .milliseconds(4)), checkInterval: check,
      renewalInterval: .seconds(3600), suspicionPause: .zero)
  }

  private func withRegistrar(
    _ registrar: Registrar, topics: [String]? = ["a"], _ body: () async throws -> Void
  ) async throws {
    let task = Task { await registrar.run() }
    if let topics { await registrar.subscribe(to: topics) }
    do { try await body() } catch {
      task.cancel()
      throw error
    }
    task.cancel()
    await task.value
  }

  /// Yields until it is so; the registrar works on other tasks of this process.
  private func until(_ condition: () async -> Bool) async {
    while await !condition() { await Task.yield() }
  }

  @Test("registers by itself, again and again until it succeeds")
  func insists() async throws {
    let port = FakePort(.init(repeating: Self.down, count: 5))
    let registrar = registrar(port, timing: Self.quick())
    try await withRegistrar(registrar) {
      await until { await registrar.machine.state == .registered }
    }
    #expect(port.calls == .init(repeating: "register plain", count: 6))
  }

  @Test("Register answers when the OMS has; once it holds, it asks again and stays registered")
  func register() async throws {
    let registrar = registrar(FakePort())
    try await withRegistrar(registrar) {
      try await registrar.register()
      try await registrar.register()
      #expect(await registrar.machine.state == .registered)
    }
  }

  @Test("a gateway whose lease may have passed on tells the OMS nothing, until it has the lease again")
  func lease() async throws {
    let port = FakePort()
    let mayAct = Lock(false)
    let registrar = Registrar(
      port: port, memory: memory, timing: Self.quick(), mayAct: { mayAct.withLock { $0 } })
    try await withRegistrar(registrar) {
      let error = await #expect(throws: RPCError.self) { try await registrar.disable() }
      #expect(error?.code == .unavailable && error?.message.contains("lease") == true)
      #expect(port.calls.isEmpty)
      mayAct.withLock { $0 = true }
      await until { await registrar.machine.state == .registered }
      #expect(await registrar.machine.goal == .registered)
    }
  }

  @Test("Register fails with UNAVAILABLE and the reason while the OMS does not answer")
  func unavailable() async throws {
    let registrar = registrar(FakePort(.init(repeating: Self.down, count: 1000)))
    try await withRegistrar(registrar) {
      let error = await #expect(throws: RPCError.self) { try await registrar.register() }
      #expect(error?.code == .unavailable && error?.message.contains("http://oms: nobody answers") == true)
    }
  }

  @Test("Unregister takes it back, and then nothing registers until told to")
  func unregister() async throws {
    let port = FakePort()
    let registrar = registrar(port)
    try await withRegistrar(registrar) {
      try await registrar.register()
      try await registrar.unregister()
      #expect(await registrar.machine.state == .unregistered)
      try await registrar.unregister()
      try await registrar.register()
      #expect(await registrar.machine.state == .registered)
    }
    #expect(port.count("unregister") == 2)
  }

  @Test("what somebody wants is kept before the OMS hears of it, and noted as done after it")
  func kept() async throws {
    let registrar = registrar(FakePort())
    try await withRegistrar(registrar) {
      try await registrar.unregister()
      try await registrar.register()
      try await registrar.disable()
    }
    let kept = memory.registrations.withLock { $0 }
    #expect(kept.map(\.goal) == [.unregistered, .unregistered, .registered, .disabled, .disabled])
    #expect(kept.map(\.isSettled) == [false, true, false, false, true])
  }

  @Test("what can't be kept is not done")
  func notKept() async throws {
    let port = FakePort()
    let registrar = registrar(port)
    memory.isBroken.store(true, ordering: .relaxed)
    try await withRegistrar(registrar) {
      try await registrar.register()
      let error = await #expect(throws: RPCError.self) { try await registrar.unregister() }
      #expect(error?.code == .unavailable)
      #expect(await registrar.machine.state == .registered)
    }
    #expect(port.count("unregister") == 0)
  }

  @Test("Unregister and Disable that fail say why, and go on until the OMS agrees")
  func goesOn() async throws {
    let port = FakePort(others: [Self.nobody, Self.nobody, nil, Self.nobody])
    let registrar = registrar(port, timing: Self.quick())
    try await withRegistrar(registrar) {
      try await registrar.register()
      let error = await #expect(throws: RPCError.self) { try await registrar.unregister() }
      #expect(error?.code == .unavailable && error?.message.contains("nobody") == true)
      await until { await registrar.machine.state == .unregistered }
      #expect(port.count("unregister") == 3)
      try await registrar.register()
      let other = await #expect(throws: RPCError.self) { try await registrar.disable() }
      #expect(other?.code == .unavailable)
      await until { await registrar.machine.state == .disabled }
    }
  }

  @Test("Disable and Enable are each other's end; twice is as once")
  func disable() async throws {
    let port = FakePort()
    let registrar = registrar(port)
    try await withRegistrar(registrar) {
      try await registrar.register()
      try await registrar.disable()
      try await registrar.disable()
      #expect(await registrar.machine.state == .disabled)
      try await registrar.enable()
      try await registrar.enable()
      #expect(await registrar.machine.state == .registered)
    }
    #expect(port.calls.suffix(2) == ["disable", "register enabling"])
  }

  @Test("an unregistered connector is neither disabled nor enabled: FAILED_PRECONDITION says what to do")
  func disableUnregistered() async throws {
    let registrar = registrar(FakePort(), kept: .init(goal: .unregistered, isSettled: true))
    try await withRegistrar(registrar) {
      for call in [registrar.disable, registrar.enable] {
        let error = await #expect(throws: RPCError.self) { try await call() }
        #expect(error?.code == .failedPrecondition && error?.message.contains("omsctl register") == true)
      }
    }
  }

  @Test("what was wanted before the restart stays: nothing registers")
  func restart() async throws {
    let port = FakePort()
    let registrar = registrar(port, kept: .init(goal: .disabled, isSettled: true))
    try await withRegistrar(registrar) {
      try await registrar.disable()
      #expect(port.calls == [])
      try await registrar.enable()
    }
    #expect(port.calls == ["register enabling"])
  }

  @Test("without an OMS all are FAILED_PRECONDITION and name OMS_URL")
  func unconfigured() async throws {
    let registrar = registrar(nil)
    try await withRegistrar(registrar) {
      for call in [registrar.register, registrar.unregister, registrar.disable, registrar.enable] {
        let error = await #expect(throws: RPCError.self) { try await call() }
        #expect(error?.code == .failedPrecondition && error?.message.contains("OMS_URL") == true)
      }
    }
  }

  @Test("waits for the topics, and tells the OMS when they change, and when the secret does")
  func topics() async throws {
    let port = FakePort()
    let signing = SigningSecrets(Secret("old"))
    let registrar = registrar(port, signing: signing)
    try await withRegistrar(registrar, topics: nil) {
      #expect(port.calls == [])
      await registrar.subscribe(to: ["a"])
      await until { await registrar.machine.state == .registered }
      await registrar.subscribe(to: ["a", "b"])
      await registrar.subscribe(to: ["a", "b"])
      await until { port.calls.count == 2 }
      #expect(signing.replace(with: Secret("new")) && signing.keys.count == 2)
      await registrar.secretsReloaded()
      await until { port.calls.count == 3 }
      #expect(await registrar.machine.state == .registered)
    }
    #expect(port.state.withLock { $0.topics } == [["a"], ["a", "b"], ["a", "b"]])
  }

  @Test("looks now and then, and at once on suspicion; what is gone is registered again")
  func looks() async throws {
    let port = FakePort()
    let registrar = registrar(port, timing: Self.quick(check: .milliseconds(2)))
    port.state.withLock { $0.checks = [.present, .missing] }
    try await withRegistrar(registrar) {
      await until { port.count("register plain") == 2 }
      await until { port.count("check") > 3 }
    }
    let idle = FakePort()
    let suspicious = self.registrar(idle, timing: Self.quick())
    idle.state.withLock { $0.checks = [.missing] }
    try await withRegistrar(suspicious) {
      try await suspicious.register()
      await suspicious.suspectLost()
      await until { idle.count("register plain") == 2 }
    }
    #expect(idle.calls == ["register plain", "check", "register plain"])
  }

  @Test("many who ask at once all get their answer")
  func crowd() async throws {
    let registrar = registrar(FakePort())
    try await withRegistrar(registrar) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<50 { group.addTask { try await registrar.register() } }
        try await group.waitForAll()
      }
    }
  }

  @Test("who asks after the end is told so")
  func stopped() async throws {
    let registrar = registrar(FakePort())
    try await withRegistrar(registrar) { try await registrar.register() }
    let error = await #expect(throws: RPCError.self) { try await registrar.register() }
    #expect(error?.code == .unavailable)
  }
}
