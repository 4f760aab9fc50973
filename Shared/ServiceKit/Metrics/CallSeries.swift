import RPC

/// The calls of one method that ended with one status, as a row of each metric.
struct CallSeries {
  let method: String
  /// Whom a client called; nil for a server.
  var target: String?
  let code: StatusCode
  let totals: CallCounters.Totals

  fileprivate var labels: Exposition.Labels {
    guard let target else { return ["grpc_method": method, "grpc_status": "\(code)"] }
    return ["grpc_method": method, "grpc_target": target, "grpc_status": "\(code)"]
  }
}

extension Exposition {
  mutating func durations(_ name: String, _ help: String, _ series: [CallSeries]) {
    begin(name, .histogram, help)
    for row in series {
      histogram(
        name, row.labels, bounds: BucketBounds.latency.texts, counts: row.totals.durations,
        sum: Double(row.totals.nanoseconds) / 1e9)
    }
  }

  mutating func sizes(_ prefix: String, sent: String, received: String, _ series: [CallSeries]) {
    let sentName = "\(prefix)_sent_total_compressed_message_size_bytes"
    begin(sentName, .histogram, sent)
    for row in series {
      histogram(
        sentName, row.labels, bounds: BucketBounds.size.texts, counts: row.totals.sent,
        sum: Double(row.totals.sentBytes))
    }
    let receivedName = "\(prefix)_rcvd_total_compressed_message_size_bytes"
    begin(receivedName, .histogram, received)
    for row in series {
      histogram(
        receivedName, row.labels, bounds: BucketBounds.size.texts, counts: row.totals.received,
        sum: Double(row.totals.receivedBytes))
    }
  }
}
