import EventLoop
import Glibc
import Synchronization

/// A gRPC server over HTTP/2 on TCP, in plain text or over TLS, and on Unix sockets.
///
/// Threads: may be called from any. The group's first loop accepts; connections are spread over all loops in turn and stay
/// where they are, with their calls. What loops share is made once and constant (options, methods), or atomic.
public final class Server: Sendable {
  /// How it behaves.
  public let options: ServerOptions
  private let methods: [Method]
  /// For calls of methods that are not among `methods`.
  let unknownMethodInterceptors: [any MethodInterceptor]
  private let homes: [ServerLoop]
  private let listeners = Lock<[Listener]>([])
  private let connectionLimit: Int
  private let openConnections = Atomic<Int>(0)
  private let turn = Atomic<Int>(0)

  /// Serves nothing yet: `listen` does that. Interceptors are asked here, once, which methods they want to see.
  public init(group: EventLoopGroup, router: Router, options: ServerOptions = ServerOptions()) {
    self.options = options
    methods = router.methods.map { method in
      Method(path: method.path, handler: method.handler, interceptors: options.interceptors(forPath: method.path))
    }
    unknownMethodInterceptors = options.interceptors(forPath: "")
    homes = group.loops.map(ServerLoop.init)
    var descriptors = rlimit()
    // Can't fail for a resource that exists.
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &descriptors)
    connectionLimit = Server.connectionLimit(options.connectionLimit, descriptors: descriptors.rlim_cur)
  }

  /// A quarter of the process's descriptors is left for its store and for the services that it calls: peers that connect
  /// and say nothing must not stop those.
  static func connectionLimit(_ wanted: Int, descriptors: UInt) -> Int {
    min(wanted, Int(clamping: descriptors / 4 * 3))
  }

  /// Binds and starts to accept.
  /// - Returns: the address with the port that the system chose when 0 was asked for.
  /// - Parameter tls: how TCP connections are secured; nil for plain text. A Unix socket is always plain: the system tells
  ///   who is at its other end, and others than root, this user and members of its group are refused.
  /// - Throws: `AddressError`, which names the address and what to do.
  @discardableResult
  public func listen(on address: Address, tls: TLSServerContext? = nil) throws(AddressError) -> Address {
    let socket = try ListeningSocket(address)
    let home = homes[0]
    // Holds the server until `shutdown`. (A weak reference would send every later retain of the server the slow way.)
    let listener = Listener(socket: socket, loop: home.loop) { self.accept($0, address, tls) }
    listeners.withLock { $0.append(listener) }
    home.loop.execute { listener.start() }
    return socket.address
  }

  /// The last sixteenth is for who is on this machine: an operator gets in, and services find each other, when strangers have
  /// taken everything else.
  private func connectionLimit(of peer: Peer) -> Int {
    peer.isTrusted ? connectionLimit : connectionLimit - connectionLimit / 16
  }

  private func accept(_ descriptor: Int32, _ address: Address, _ tls: TLSServerContext?) {
    var context: TLSContext?
    let peer: Peer
    switch address {
    case .unix:
      guard let credentials = PeerCredentials(of: descriptor) else {
        // It has gone again, most likely.
        close(descriptor)
        return
      }
      peer = credentials.peer
      guard credentials.mayConnect() else {
        return refuse(descriptor, peer, "the peer's user is neither root nor the one that serves, nor in its group")
      }
    case .tcp:
      peer = Peer(kind: .tcp(Address(peerOf: descriptor)))
      context = tls?.current
    }
    let limit = connectionLimit(of: peer)
    guard openConnections.wrappingAdd(1, ordering: .relaxed).newValue <= limit else {
      openConnections.wrappingSubtract(1, ordering: .relaxed)
      return refuse(descriptor, peer, "\(limit) connections are open already")
    }
    let home = homes[turn.wrappingAdd(1, ordering: .relaxed).oldValue % homes.count]
    home.loop.execute { [context] in home.open(descriptor, self, PeerReference(peer), context) }
  }

  private func refuse(_ descriptor: Int32, _ peer: Peer, _ reason: String) {
    close(descriptor)
    options.connectionRefused?(peer, reason)
  }

  /// Connections that clients have open now.
  public var connectionCount: Int { openConnections.load(ordering: .relaxed) }

  func connectionDidClose() {
    openConnections.wrappingSubtract(1, ordering: .relaxed)
  }

  /// Stops accepting, tells clients to go elsewhere (GOAWAY) and waits for the calls that are under way.
  /// - Parameter grace: how long; calls that are still open then are cut off.
  /// - Returns: whether all calls ended by themselves.
  @discardableResult
  public func shutdown(grace: Duration) async -> Bool {
    let listeners = listeners.withLock { listeners in
      defer { listeners = [] }
      return listeners
    }
    for listener in listeners { await listener.stop() }
    return await withTaskGroup(of: Bool.self) { tasks in
      for home in homes { tasks.addTask { await home.drain(grace: grace) } }
      return await tasks.reduce(true) { $0 && $1 }
    }
  }

  func method(_ path: UnsafeBufferPointer<UInt8>) -> Method? {
    guard let bytes = path.baseAddress else { return nil }
    for method in methods where method.pathBytes.count == path.count {
      if let candidate = method.pathBytes.baseAddress, memcmp(candidate, bytes, path.count) == 0 { return method }
    }
    return nil
  }
}

extension ServerOptions {
  fileprivate func interceptors(forPath path: String) -> [any MethodInterceptor] {
    interceptors.compactMap { $0.interceptor(forPath: path) }
  }
}

/// A server's part on one loop. Sendable by the loop: everything in it is touched there only.
final class ServerLoop: @unchecked Sendable {
  let loop: EventLoop
  private var connections: [ObjectIdentifier: ServerConnection] = [:]
  private var isDraining = false
  private var drained: [UnsafeContinuation<Void, Never>] = []

  init(_ loop: EventLoop) { self.loop = loop }

  func open(_ descriptor: Int32, _ server: Server, _ peer: PeerReference, _ tls: TLSContext?) {
    guard !isDraining else {
      close(descriptor)
      server.connectionDidClose()
      return
    }
    let connection = ServerConnection(descriptor: descriptor, home: self, server: server, peer: peer, tls: tls)
    connections[ObjectIdentifier(connection)] = connection
  }

  func remove(_ connection: ServerConnection) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    connection.server.connectionDidClose()
    guard connections.isEmpty else { return }
    for waiter in drained { waiter.resume() }
    drained = []
  }

  /// - Returns: whether every connection closed by itself.
  func drain(grace: Duration) async -> Bool {
    await loop.perform { [self] in
      isDraining = true
      for connection in connections.values { connection.beginDrain() }
      let timer = CutOff(self)
      loop.schedule(timer, at: EventLoop.monotonicNanoseconds() &+ grace.nanoseconds)
      if !connections.isEmpty { await withUnsafeContinuation { drained.append($0) } }
      loop.cancel(timer)
      return !timer.hasFired
    }
  }

  fileprivate func cutOff() {
    for connection in Array(connections.values) {
      connection.close(RPCError(.unavailable, "the server stopped"))
    }
  }
}

/// Ends the grace of a shutdown. Sendable by the loop: fires and is asked there only.
private final class CutOff: LoopTimer, @unchecked Sendable {
  private let home: ServerLoop
  private(set) var hasFired = false
  init(_ home: ServerLoop) { self.home = home }
  override func fire() {
    hasFired = true
    home.cutOff()
  }
}
