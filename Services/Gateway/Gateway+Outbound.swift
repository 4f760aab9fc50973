import ServiceKit
import Storage

extension Gateway {
  /// Everything on the way to the OMS: what takes messages, and what delivers them.
  ///
  /// - Parameter bus: nil without an OMS.
  /// - Returns: also what limits all that goes there.
  static func outbound(
    _ journal: JournalStore, _ held: HeldPartitions, _ bus: BusClient?, _ registrar: Registrar,
    _ setup: inout ServiceSetup
  ) -> (queue: OutboundQueue, limiter: SendLimiter) {
    let (configuration, timings) = (setup.configuration, setup.timings)
    let sender = bus.map { bus in
      BusSender(
        bus: bus,
        paths: BusPaths(
          remote: configuration[GatewaySettings.remotePath], delegate: configuration[GatewaySettings.delegatePath],
          events: configuration[GatewaySettings.eventsPath]),
        timeout: configuration[GatewaySettings.omsTimeout], suspectLost: { await registrar.suspectLost() },
        timings: timings)
    }
    let concurrency = configuration[GatewaySettings.omsMaxConcurrency]
    let limiter = SendLimiter(SendLimits(concurrency: concurrency, rate: configuration[GatewaySettings.omsMaxRate]))
    let link = OutboundLink(sender: sender, limiter: limiter) { await heldBack(registrar.machine.goal) }
    let group = setup.group
    var queue = OutboundQueue(
      store: journal, concurrency: concurrency, held: held, turns: limiter, executor: { group.next() }
    ) { message, route in await link.deliver(message, route) }
    queue.heldBack = { await link.reasonToHold() }
    DeliveryService(queue: queue, link: link).register(in: &setup.router)
    return (queue, limiter)
  }

  /// Whoever takes the connector out of the OMS wants it left alone. A registration that only isn't there yet keeps nothing.
  private static func heldBack(_ goal: RegistrationMachine.Goal) -> String? {
    switch goal {
    case .unregistered: "the connector is unregistered: messages wait for omsctl register"
    case .disabled: "the connector is disabled: messages wait until it is enabled again"
    case .registered: nil
    }
  }
}
