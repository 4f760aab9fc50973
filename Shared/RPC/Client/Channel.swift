import EventLoop
import Messages

/// The way to a service: any number of addresses, a connection to each, calls in turn over those that are ready.
///
/// Threads: may be called from any. Every loop of the group has connections of its own (`Balancer`), and a call that comes
/// from one of the loops stays on it; others go to the loops in turn, and their tasks come back with the result. The first
/// loop looks the target up for all.
///
/// Calls that fail are made again as `RetryPolicy` says.
public final class Channel: Sendable {
  /// What it leads to.
  public let target: Target
  /// How it behaves.
  public let options: ChannelOptions
  let group: EventLoopGroup
  private let balancers: [Balancer]
  private let refresh: Refresh
  private let known = Lock<[Address]>([])
  let retryBudget: RetryBudget

  /// Begins to look the target up and to connect, and returns at once. Calls wait for the first attempt to connect, and fail
  /// with UNAVAILABLE when no address answers.
  public init(target: Target, group: EventLoopGroup, options: ChannelOptions = ChannelOptions()) {
    self.target = target
    self.options = options
    self.group = group
    retryBudget = RetryBudget(options.retry.budget)
    let refresh = Refresh()
    balancers = group.loops.map { loop in
      Balancer(
        loop: loop, target: target, options: options,
        interceptors: ClientInterceptorTable(options.interceptors, target: target)
      ) { refresh.request() }
    }
    self.refresh = refresh
    let (balancers, home) = (balancers, group.loops[0])
    let resolver = Resolver.make(target, loop: home) { [weak self] result in
      if case .success(let addresses) = result { self?.known.withLock { $0 = addresses } }
      for balancer in balancers { balancer.loop.execute { balancer.update(result) } }
    }
    refresh.resolver.withLock { $0 = resolver }
    home.execute { resolver.start() }
  }

  deinit { shutdown() }

  /// Takes no more calls; those that are under way still end.
  public func shutdown() {
    // Balancers and resolver hold each other through this, and would for ever.
    let resolver = refresh.resolver.withLock { resolver in
      defer { resolver = nil }
      return resolver
    }
    guard let resolver else { return }
    resolver.loop.execute { resolver.stop() }
    for balancer in balancers { balancer.loop.execute { balancer.shutDown() } }
  }

  /// What the target stands for as far as is known now.
  public var addresses: [Address] { known.withLock { $0 } }

  /// The one of the loop that the current task belongs to; nil elsewhere.
  @inline(__always) var currentBalancer: Balancer? {
    guard let loop = EventLoop.current, loop.index < balancers.count, balancers[loop.index].loop === loop,
      loop.keepsCurrentTask
    else { return nil }
    return balancers[loop.index]
  }

  /// Runs `body` on the loop of a balancer, with it.
  func onLoop<Result: Sendable>(_ body: @escaping @Sendable (Balancer) async throws -> Result) async throws -> Result {
    if let balancer = currentBalancer { return try await body(balancer) }
    let loop = group.next()
    guard let balancer = balancers.first(where: { $0.loop === loop }) else {
      throw RPCError(.internalError, "the channel has no connections on this loop")
    }
    return try await loop.perform { try await body(balancer) }
  }
}

/// Asks the resolver to look again, from any balancer's loop.
private final class Refresh: Sendable {
  /// Nil once the channel is shut down.
  let resolver = Lock<Resolver?>(nil)

  func request() {
    guard let resolver = resolver.withLock({ $0 }) else { return }
    resolver.loop.execute { if !resolver.isStopped { resolver.refresh() } }
  }
}
