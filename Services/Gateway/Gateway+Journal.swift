import ServiceKit
import Stubs

extension Gateway {
  /// What operators see of the journal and of the services' outboxes and do about it, and how long the journal keeps what has
  /// ended.
  ///
  /// - Returns: what waits, for the metrics.
  static func serveJournal(
    _ journal: JournalStore, _ inbound: InboundQueue, _ outbound: OutboundQueue, _ backends: Backends,
    _ watch: PartitionWatch, _ setup: inout ServiceSetup
  ) -> (states: QueueStates, outboxes: OutboxWatch) {
    let retention = JournalRetention(store: journal, days: setup.configuration[GatewaySettings.journalRetention])
    setup.run("retention") { await retention.run() }
    let states = QueueStates(
      store: journal, incoming: inbound.destinations, outgoing: outbound.destinations, heldBack: outbound.heldBack)
    let outboxes = ServiceOutboxes(backends.channels.map { ($0.service.rawValue, $0.channel) })
    JournalService(
      store: journal, states: states, held: inbound.held, nudge: { watch.nudge() },
      consumed: TopicWatcher.ask(backends.channels),
      outboxes: { await outboxes.depths() }
    ).register(in: &setup.router)
    OutboxService(outboxes: outboxes).register(in: &setup.router)
    let outboxWatch = OutboxWatch { await outboxes.depths() }
    setup.run("outboxes of the services") { await outboxWatch.run() }
    return (states, outboxWatch)
  }
}
