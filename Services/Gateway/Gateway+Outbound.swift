import ServiceKit

extension Gateway {
  /// Everything on the way to the OMS: who takes messages, and who delivers them.
  ///
  /// - Parameter bus: nil without an OMS.
  static func outbound(
    _ journal: JournalStore, _ bus: BusClient?, _ registrar: Registrar, _ setup: inout ServiceSetup
  ) {
    let configuration = setup.configuration
    let sender = bus.map { bus in
      BusSender(
        bus: bus,
        paths: BusPaths(
          remote: configuration[GatewaySettings.remotePath], delegate: configuration[GatewaySettings.delegatePath],
          events: configuration[GatewaySettings.eventsPath]),
        timeout: configuration[GatewaySettings.omsTimeout], suspectLost: { await registrar.suspectLost() })
    }
    let link = OutboundLink(sender: sender)
    let queue = OutboundQueue(store: journal) { await link.deliver($0, $1) }
    for dispatcher in queue.dispatchers {
      setup.run("messages on the way \(dispatcher.destination)") { await dispatcher.run() }
    }
    DeliveryService(queue: queue, link: link).register(in: &setup.router)
  }
}
