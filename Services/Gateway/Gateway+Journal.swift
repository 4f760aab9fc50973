import ServiceKit
import Stubs

extension Gateway {
  /// What operators see of the journal and do about it, and how long it keeps what has ended.
  static func serveJournal(
    _ journal: JournalStore, incoming: [Dispatcher], outgoing: [Dispatcher], _ setup: inout ServiceSetup
  ) {
    let retention = JournalRetention(store: journal, days: setup.configuration[GatewaySettings.journalRetention])
    setup.run("retention") { await retention.run() }
    JournalService(store: journal, incoming: incoming, outgoing: outgoing).register(in: &setup.router)
  }
}
