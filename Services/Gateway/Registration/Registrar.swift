import RPC
import ServiceKit

/// Registers the connector, at the start and until it succeeds, and when somebody asks. Does one thing at a time.
actor Registrar {
  private enum Request {
    case register(CheckedContinuation<Void, any Error>)
    case unregister(CheckedContinuation<Void, any Error>)

    func answer(_ result: Result<Void, any Error>) {
      switch self {
      case .register(let continuation), .unregister(let continuation): continuation.resume(with: result)
      }
    }
  }

  /// Requests that may wait for their turn.
  static let maxRequests = 100

  private(set) var machine: RegistrationMachine
  /// nil without an OMS.
  private let port: (any RegistrationPort)?
  private let now: @Sendable () -> WallTime
  private var requests: [Request] = []
  private var sleeper: CheckedContinuation<Void, Never>?
  private var isStopped = false

  init(
    port: (any RegistrationPort)?, backOff: BackOff = .init(), now: @escaping @Sendable () -> WallTime = { .now }
  ) {
    self.port = port
    self.now = now
    machine = RegistrationMachine(isConfigured: port != nil, now: now(), backOff: backOff)
  }

  /// Works until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      if !requests.isEmpty {
        await serveRequests()
        continue
      }
      switch machine.nextStep(now: now()) {
      case .register: _ = await attempt()
      case .wait(let until): await pause(for: until - now())
      case .rest: await pause(for: nil)
      }
    }
    isStopped = true
    for request in requests { request.answer(.failure(Self.stopping)) }
    requests = []
  }

  /// Registers now; returns when the OMS has agreed.
  ///
  /// - Throws: FAILED_PRECONDITION without an OMS; UNAVAILABLE with the reason when it did not agree.
  func register() async throws {
    try await ask { .register($0) }
  }

  /// Takes the registration back; returns when the OMS has agreed.
  func unregister() async throws {
    try await ask { .unregister($0) }
  }

  private func ask(_ request: (CheckedContinuation<Void, any Error>) -> Request) async throws {
    guard port != nil else {
      throw RPCError(.failedPrecondition, "there is no OMS to register with: set OMS_URL and start the gateway again")
    }
    guard !isStopped else { throw Self.stopping }
    guard requests.count < Self.maxRequests else {
      throw RPCError(
        .resourceExhausted, "\(Self.maxRequests) requests wait already: try again later",
        details: [.retryInfo(.seconds(1))])
    }
    try await withCheckedThrowingContinuation { continuation in
      requests.append(request(continuation))
      wake()
    }
  }

  /// One attempt answers all who wait for it.
  private func serveRequests() async {
    switch requests[0] {
    case .register:
      let waiting = requests.prefix { if case .register = $0 { true } else { false } }
      requests.removeFirst(waiting.count)
      let result = await attempt()
      for request in waiting { request.answer(result) }
    case .unregister(let continuation):
      requests.removeFirst()
      continuation.resume(with: await takeBack())
    }
  }

  private func attempt() async -> Result<Void, any Error> {
    guard let port else { return .success(()) }
    do throws(RegistrationFailure) {
      try await port.register()
      machine.registrationSucceeded(now: now())
      Log.info("registered with the OMS")
      return .success(())
    } catch {
      let reason = "\(error.reason)"
      machine.registrationFailed(reason, isLost: error.isLost, now: now(), random: .random(in: 0...1))
      if Task.isCancelled { return .failure(Self.stopping) }
      Log.warning("not registered with the OMS", ["reason": "\(reason)", "attempts": LogValue(machine.failedAttempts)])
      return .failure(RPCError(.unavailable, "the OMS did not register the connector: \(reason)"))
    }
  }

  private func takeBack() async -> Result<Void, any Error> {
    guard let port else { return .success(()) }
    do throws(ServiceBusError) {
      try await port.unregister()
      machine.unregistered()
      Log.info("unregistered from the OMS")
      return .success(())
    } catch {
      machine.unregistrationFailed("\(error)")
      Log.warning("not unregistered from the OMS", ["reason": "\(error)"])
      return .failure(RPCError(.unavailable, "the OMS did not take the registration back: \(error)"))
    }
  }

  /// Waits for the time to pass, a request or the end.
  private func pause(for duration: Duration?) async {
    let timer = duration.map { duration in
      Task {
        // A cancelled sleep is a pause that has ended already.
        guard (try? await Task.sleep(for: duration)) != nil else { return }
        self.wake()
      }
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        sleeper = continuation
        if Task.isCancelled { wake() }
      }
    } onCancel: {
      Task { await self.wake() }
    }
    timer?.cancel()
  }

  private func wake() {
    sleeper?.resume()
    sleeper = nil
  }

  private static let stopping = RPCError(.unavailable, "the gateway is stopping: try again later")
}
