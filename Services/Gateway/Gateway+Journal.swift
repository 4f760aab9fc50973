import ServiceKit
import Stubs

extension Gateway {
  /// What operators see of the journal and do about it, and how long it keeps what has ended.
  ///
  /// - Returns: what waits, for the metrics.
  static func serveJournal(
    _ journal: JournalStore, _ inbound: InboundQueue, _ outbound: OutboundQueue, _ backends: Backends,
    _ setup: inout ServiceSetup
  ) -> QueueStates {
    let retention = JournalRetention(store: journal, days: setup.configuration[GatewaySettings.journalRetention])
    setup.run("retention") { await retention.run() }
    let states = QueueStates(
      store: journal, incoming: inbound.dispatchers, outgoing: outbound.dispatchers, heldBack: outbound.heldBack)
    JournalService(store: journal, states: states, consumed: TopicWatcher.ask(backends.channels))
      .register(in: &setup.router)
    return states
  }
}
