import EventLoop
import RPC
import Synchronization
import Testing

@testable import Gateway

/// An OMS that answers from a list, then with success for ever.
private final class FakePort: RegistrationPort {
  private let answers: Lock<[RegistrationFailure?]>
  private let registered = Atomic(0)
  private let unregistered = Atomic(0)
  private let unregisterError: ServiceBusError?

  init(_ answers: [RegistrationFailure?] = [], unregisterError: ServiceBusError? = nil) {
    self.answers = Lock(answers)
    self.unregisterError = unregisterError
  }

  var registrations: Int { registered.load(ordering: .relaxed) }
  var unregistrations: Int { unregistered.load(ordering: .relaxed) }

  func register() async throws(RegistrationFailure) {
    registered.add(1, ordering: .relaxed)
    if let failure = answers.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { throw failure }
  }

  func unregister() async throws(ServiceBusError) {
    unregistered.add(1, ordering: .relaxed)
    if let unregisterError { throw unregisterError }
  }
}

@Suite struct RegistrarTests {
  private static let down = RegistrationFailure(reason: .unreachable("http://oms: nobody answers"), isLost: false)

  private func withRegistrar(_ registrar: Registrar, _ body: () async throws -> Void) async throws {
    let task = Task { await registrar.run() }
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
    let registrar = Registrar(port: port, backOff: BackOff(first: .milliseconds(1), limit: .milliseconds(4)))
    try await withRegistrar(registrar) {
      await until { await registrar.machine.state == .registered }
    }
    #expect(port.registrations == 6)
  }

  @Test("Register answers when the OMS has; once it holds, it asks again and stays registered")
  func register() async throws {
    let port = FakePort()
    let registrar = Registrar(port: port)
    try await withRegistrar(registrar) {
      try await registrar.register()
      try await registrar.register()
      #expect(await registrar.machine.state == .registered)
    }
  }

  @Test("Register fails with UNAVAILABLE and the reason while the OMS does not answer")
  func unavailable() async throws {
    let registrar = Registrar(port: FakePort(.init(repeating: Self.down, count: 1000)))
    try await withRegistrar(registrar) {
      let error = await #expect(throws: RPCError.self) { try await registrar.register() }
      #expect(error?.code == .unavailable && error?.message.contains("http://oms: nobody answers") == true)
    }
  }

  @Test("Unregister takes it back, and then nothing registers until told to")
  func unregister() async throws {
    let port = FakePort()
    let registrar = Registrar(port: port)
    try await withRegistrar(registrar) {
      try await registrar.register()
      try await registrar.unregister()
      #expect(await registrar.machine.state == .unregistered)
      try await registrar.unregister()
      try await registrar.register()
      #expect(await registrar.machine.state == .registered)
    }
    #expect(port.unregistrations == 2)
  }

  @Test("a failed Unregister says why and leaves the registration")
  func unregisterFails() async throws {
    let registrar = Registrar(port: FakePort(unregisterError: .unreachable("nobody")))
    try await withRegistrar(registrar) {
      try await registrar.register()
      let error = await #expect(throws: RPCError.self) { try await registrar.unregister() }
      #expect(error?.code == .unavailable)
      #expect(await registrar.machine.state == .registered)
    }
  }

  @Test("without an OMS both are FAILED_PRECONDITION and name OMS_URL")
  func unconfigured() async throws {
    let registrar = Registrar(port: nil)
    try await withRegistrar(registrar) {
      for call in [registrar.register, registrar.unregister] {
        let error = await #expect(throws: RPCError.self) { try await call() }
        #expect(error?.code == .failedPrecondition && error?.message.contains("OMS_URL") == true)
      }
    }
  }

  @Test("many who ask at once all get their answer")
  func crowd() async throws {
    let registrar = Registrar(port: FakePort())
    try await withRegistrar(registrar) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<50 { group.addTask { try await registrar.register() } }
        try await group.waitForAll()
      }
    }
  }

  @Test("who asks after the end is told so")
  func stopped() async throws {
    let registrar = Registrar(port: FakePort())
    try await withRegistrar(registrar) { try await registrar.register() }
    let error = await #expect(throws: RPCError.self) { try await registrar.register() }
    #expect(error?.code == .unavailable)
  }
}
