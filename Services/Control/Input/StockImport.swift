import Messages

/// How a file of stock goes to the service: in parts, none of which makes stock wrong on its way, whatever comes between them.
///
/// A NONZERO sets to 0 what it leaves out, so the first of several would take away what the others bring. Here the rows go first, as
/// DELTAs; a NONZERO without rows follows that is a nanosecond older than these, so that it spares them and everything newer.
struct StockImport {
  typealias Snapshot = Omsconnector.V1.StockSnapshot

  let aggregate: String
  let mode: Omsconnector.V1.SnapshotMode
  let createdOn: Google.Protobuf.Timestamp
  let stock: StockCSV

  /// The rows in the order in which they are sent, and where in the file they are.
  var snapshots: [(snapshot: Snapshot, lines: [Int])] {
    let mode = zeroesLast ? .delta : mode
    var all = stock.parts.map { part in
      (
        snapshot: Snapshot(aggregateId: aggregate, mode: mode, createdOn: createdOn, stock: part.items),
        lines: part.lines
      )
    }
    if zeroesLast { all.append((Snapshot(aggregateId: aggregate, mode: .nonzero, createdOn: justBefore), [])) }
    return all
  }

  private var zeroesLast: Bool { mode == .nonzero && stock.parts.count > 1 }

  private var justBefore: Google.Protobuf.Timestamp {
    createdOn.nanos > 0
      ? .init(seconds: createdOn.seconds, nanos: createdOn.nanos - 1)
      : .init(seconds: createdOn.seconds - 1, nanos: 999_999_999)
  }
}
