import EventLoop

/// Keeps up to date which addresses a target stands for, the first `Target.addressLimit` of them. Lives on one loop.
///
/// Sendable by the loop, subclasses included: everything is touched there only.
class Resolver: @unchecked Sendable {
  final let loop: EventLoop
  private final let update: @Sendable (Result<[Address], RPCError>) -> Void
  final private(set) var isStopped = false

  init(loop: EventLoop, update: @escaping @Sendable (Result<[Address], RPCError>) -> Void) {
    self.loop = loop
    self.update = update
  }

  static func make(
    _ target: Target, loop: EventLoop, update: @escaping @Sendable (Result<[Address], RPCError>) -> Void
  ) -> Resolver {
    switch target {
    case .unix(let address): StaticResolver([address], loop: loop, update: update)
    case .list(let addresses): StaticResolver(addresses, loop: loop, update: update)
    case .unixDirectory(let path): DirectoryResolver(path, loop: loop, update: update)
    case .dns(let host, let port): NameResolver(host: host, port: port, loop: loop, update: update)
    }
  }

  /// Begins to look. On the loop.
  func start() {}
  /// A connection was lost or refused: what was known may be out of date. On the loop.
  func refresh() {}
  /// On the loop.
  func stop() { isStopped = true }

  final func publish(_ result: Result<[Address], RPCError>) {
    guard !isStopped else { return }
    update(result.map(Resolver.distinct))
  }
}

extension Resolver {
  /// The first `Target.addressLimit` addresses, each once.
  static func distinct(_ addresses: [Address]) -> [Address] {
    var seen: Set<Address> = []
    var distinct: [Address] = []
    for address in addresses where distinct.count < Target.addressLimit && seen.insert(address).inserted {
      distinct.append(address)
    }
    return distinct
  }
}

/// Addresses that don't change.
private final class StaticResolver: Resolver, @unchecked Sendable {
  private let addresses: [Address]

  init(
    _ addresses: [Address], loop: EventLoop, update: @escaping @Sendable (Result<[Address], RPCError>) -> Void
  ) {
    self.addresses = addresses
    super.init(loop: loop, update: update)
  }

  override func start() { publish(.success(addresses)) }
}
