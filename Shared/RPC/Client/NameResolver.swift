import EventLoop

/// Every address of a name, looked up on a thread, because `getaddrinfo` blocks.
final class NameResolver: Resolver, @unchecked Sendable {
  private let host: String
  private let port: UInt16
  private var schedule = LookUpSchedule()
  /// What was found last; nil after a failure.
  private var known: Set<Address>?
  private lazy var timer = Again(self)

  init(
    host: String, port: UInt16, loop: EventLoop, update: @escaping @Sendable (Result<[Address], RPCError>) -> Void
  ) {
    self.host = host
    self.port = port
    super.init(loop: loop, update: update)
  }

  override func start() { refresh() }

  override func refresh() { act(schedule.lookUpWanted(now: EventLoop.monotonicNanoseconds())) }

  override func stop() {
    super.stop()
    loop.cancel(timer)
  }

  private func act(_ action: LookUpSchedule.Action) {
    guard !isStopped else { return }
    switch action {
    case .look: look()
    case .wait(let time): loop.schedule(timer, at: time)
    case .none: break
    }
  }

  private func look() {
    let (host, port, loop) = (host, port, loop)
    do {
      try spawnThread(named: "resolver") {
        let result = NameResolver.addresses(host: host, port: port)
        loop.execute { self.found(result) }
      }
    } catch {
      found(.failure(RPCError(.unavailable, "\(host) can't be looked up: \(error)")))
    }
  }

  private static func addresses(host: String, port: UInt16) -> Result<[Address], RPCError> {
    do throws(AddressError) {
      let addresses = try Address.resolve(host: host, port: port)
      return .success(addresses.map { Address.tcp(host: $0.numericHost, port: port) })
    } catch {
      return .failure(RPCError(.unavailable, "\(error)"))
    }
  }

  private func found(_ result: Result<[Address], RPCError>) {
    let found = try? result.get()
    var random = SystemRandomNumberGenerator()
    let now = EventLoop.monotonicNanoseconds()
    act(schedule.lookUpEnded(succeeded: found != nil, now: now, random: &random))
    let addresses = found.map { Set($0) }
    // What has not changed is no news: addresses that don't answer keep to their back-off. Names rotate theirs.
    guard addresses == nil || addresses != known else { return }
    known = addresses
    publish(result)
  }

  private final class Again: LoopTimer {
    private unowned let resolver: NameResolver
    init(_ resolver: NameResolver) { self.resolver = resolver }
    override func fire() { resolver.act(resolver.schedule.timeIsUp(now: EventLoop.monotonicNanoseconds())) }
  }
}
