import ServiceKit
import Storage

extension Gateway {
  /// How gateways use a PostgreSQL store. Each statement of theirs is right by itself: a message comes in once by the journal's
  /// unique key, ends once as it has to be pending for that, and gets its number from a row that stays locked. What is wanted
  /// of the registration is one row, and a lease is taken by one statement. That row is also the first that a transaction with
  /// a key locks, so that it needs no lock besides.
  static func configure(_ options: inout DatabaseOptions) {
    options.isolation = .readCommitted
    options.locksKeys = false
  }

  /// What is asked about leases is worth nothing when their time is over, and who stops does not wait for a server that is away.
  /// A gateway that stands still in the middle of a transaction (SIGSTOP, say) soon loses it, with the leases that it was taking.
  static func configureLeases(_ options: inout DatabaseOptions) {
    options.readers = 1
    options.statementTimeout = .seconds(2)
    options.busyTimeout = .milliseconds(500)
    options.silenceTimeout = .seconds(2)
    options.outageTimeout = .seconds(1)
  }

  /// Delivers messages: all of them, or those of the partitions that are this gateway's among several.
  ///
  /// - Parameters:
  ///   - leases: nil for a gateway that works alone.
  ///   - single: what one gateway of several does for all.
  ///   - share: told among how many gateways everything is shared.
  /// - Returns: what looks for messages that others put into the journal.
  static func deliver(
    _ journal: JournalStore, _ destinations: [Destination], _ held: HeldPartitions, _ leases: Database?,
    _ single: [GatewayLeases.Duty], _ setup: inout ServiceSetup, share: @escaping @Sendable (Int) async -> Void
  ) -> PartitionWatch {
    guard let leases else {
      for destination in destinations {
        for partition in journal.partitions {
          setup.run("messages for \(destination.name)") { await destination.work(partition) }
        }
      }
      return PartitionWatch(store: journal, held: held, destinations)
    }
    let duties = journal.partitions.map { duty($0, destinations) }
    let shared = GatewayLeases(LeaseStore(database: leases), held: held, shared: duties, single: single, share: share)
    setup.run("leases") { await shared.run() }
    let watch = PartitionWatch(
      store: journal, looking: JournalStore(database: leases), held: held, destinations
    ) { await shared.isAlone }
    setup.run("what other gateways do") { await watch.run() }
    return watch
  }

  /// Delivers what is in a partition of the journal.
  static func duty(_ partition: Int, _ destinations: [Destination]) -> GatewayLeases.Duty {
    GatewayLeases.Duty(
      key: JournalPartition.key(partition),
      work: {
        await withTaskGroup(of: Void.self) { group in
          for destination in destinations { group.addTask { await destination.work(partition) } }
        }
      },
      abandon: { for destination in destinations { await destination[partition].abandon() } })
  }
}
