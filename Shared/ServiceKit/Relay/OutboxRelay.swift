import EventLoop
import RPC
import Storage

/// Hands what a service owes the OMS to the gateway, which delivers it from there on.
///
/// Rows leave the outbox when the gateway has them, so a message may be handed over twice and is never lost; the gateway
/// knows it by its delivery id. Messages of one key go one after the other, those of different keys side by side. While the
/// gateway is away they wait in the store, and one of them is tried now and then.
public actor OutboxRelay {
  /// Where the gateway takes messages.
  public static let gatewayTarget = Setting.target(
    "GATEWAY_TARGET", "the gateway, which takes the messages for the OMS", default: "unix:$STATE_DIR/gateway.sock")

  let outbox: Outbox
  let database: Database
  let gateway: Channel
  let loop: EventLoop
  let options: RelayOptions
  /// This replica, for the others.
  let holder = String(UInt64.random(in: .min ... .max), radix: 16)
  private let alarm = Alarm()
  let isTold = Lock(true)
  let failureLines = LogAllowance()

  var window: RelayWindow
  var link: GatewayLink
  /// What has to be written down: rows that the gateway has, and those that it refuses with its reason.
  var taken: [Int64] = []
  var refused: [(id: Int64, reason: String)] = []
  /// The last row that was read.
  var cursor: Int64 = 0
  var mayHaveMore = true
  var nextLook: UInt64 = 0
  /// Until when this replica may relay, and when to renew that.
  var leasedUntil: UInt64 = 0
  var nextRenewal: UInt64 = 0
  var storePausedUntil: UInt64 = 0
  var isLooking = false
  var isWriting = false
  /// Rows under way that have got another delivery id, which happens once: no gateway knows a new one.
  var renewed: Set<Int64> = []
  /// By their rows.
  var calls: [Int64: Task<Void, Never>] = [:]

  /// - Parameter database: with ``Outbox/migration`` and ``Outbox/numberMigration`` in its schema.
  public init(
    _ outbox: Outbox, in database: Database, gateway: Channel, loop: EventLoop, options: RelayOptions = .init()
  ) {
    self.outbox = outbox
    self.database = database
    self.gateway = gateway
    self.loop = loop
    self.options = options
    window = RelayWindow(
      limits: .init(rows: options.maximumRows, bytes: options.maximumBytes, calls: options.maximumCalls))
    link = GatewayLink(first: options.firstPause, longest: options.longestPause)
  }

  /// Makes the relay of a service, which runs while the service does, and lets operators see to the outbox. The service declares
  /// ``gatewayTarget``, and its schema has ``Outbox/refusedMigration``.
  public static func start(_ outbox: Outbox, in database: Database, of setup: inout ServiceSetup) -> OutboxRelay {
    let loop = setup.group.next()
    var options = setup.channelOptions
    // The relay itself tries again, of all messages with one.
    options.retry = .never
    options.balancing = .pickFirst
    let channel = Channel(target: setup.configuration[gatewayTarget], group: setup.group, options: options)
    let relay = OutboxRelay(outbox, in: database, gateway: channel, loop: loop)
    setup.run("outbox relay") { await relay.run() }
    setup.onStop("outbox relay") { channel.shutdown() }
    OutboxControl(outbox: outbox, database: database) { relay.wake() }.register(in: &setup.router)
    return relay
  }

  /// Says that rows were added, after they have committed. They go at once; without it, within half a second.
  public nonisolated func wake() {
    isTold.withLock { $0 = true }
    alarm.set()
  }

  /// Relays until the task is cancelled. To be called once.
  public func run() async {
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        let now = EventLoop.monotonicNanoseconds()
        startStoreWork(now, &group)
        handOver(now)
        await alarm.wait(until: deadline(now), on: loop)
      }
    }
    // Not as a part of this task, which is cancelled: what is waited for there is over at once.
    await Task(executorPreference: loop) { await self.finish() }.value
  }

  /// Waits for the calls under way, so that the gateway isn't asked the same again, and leaves the outbox to others.
  private func finish() async {
    let end = EventLoop.monotonicNanoseconds() + options.grace.nanoseconds
    while window.calls > 0, EventLoop.monotonicNanoseconds() < end { await alarm.wait(until: end, on: loop) }
    let rest = calls.values
    for call in rest { call.cancel() }
    for call in rest { await call.value }
    await leave()
  }

  /// Goes round again, since something has happened.
  func stir() { alarm.set() }

  /// When to go round though nothing has happened. What is due already waits for something that is under way.
  private func deadline(_ now: UInt64) -> UInt64 {
    var times = [nextLook, storePausedUntil]
    if !window.isEmpty {
      times.append(nextRenewal)
      if let time = link.nextTime { times.append(time) }
      if let time = window.nextTime { times.append(time) }
    }
    return times.filter { $0 > now }.min() ?? now + options.interval.nanoseconds
  }
}
