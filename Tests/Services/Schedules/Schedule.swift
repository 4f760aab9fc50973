/// What comes to the replicas of a store, and in which order.
struct Schedule: Sendable {
  let seed: UInt64
  let replicas: Int
  /// Steps of one round run at the same time, rounds one after the other.
  var rounds: [[Step]]

  var steps: Int { rounds.reduce(0) { $0 + $1.count } }
  var isConcurrent: Bool { rounds.contains { $0.count > 1 } }
}

/// What happens at one replica.
enum Step: Sendable {
  /// A delivery, again where the replica stops before it has taken it.
  case deliver(StockMessage, replica: Int)
  /// The replica dies before the commit of a delivery, which comes again later.
  case die(StockMessage, replica: Int)
  /// A replica is stopped, and another one takes its place.
  case restart(replica: Int)
  /// The server ends all sessions of the store but one; a file has none.
  case cut(replica: Int)
  /// More than fifteen minutes pass.
  case pass
  /// A replica looks whether the aggregate's open NONZERO has had no part for fifteen minutes.
  case close(aggregate: String, replica: Int)
  /// The operator decides on one of what waits.
  case decide(aggregate: String, number: Int, apply: Bool, replica: Int)
  /// The operator makes what is stored of a SKU older than any message.
  case reset(aggregate: String, sku: String, replica: Int)
}

/// One message of the OMS.
struct StockMessage: Sendable, Equatable {
  enum Mode: String, Sendable, CaseIterable {
    case full = "FULL"
    case delta = "DELTA"
    case nonzero = "NONZERO"
  }

  struct Row: Sendable, Equatable {
    var sku: String
    /// nil is none that could be applied.
    var quantity: Int64?
    var unlimited = false
  }

  /// Of the delivery: another message may have the same one.
  var id: String
  var aggregate: String
  var mode: Mode
  var createdOn: SimulatedTime
  var rows: [Row]

  /// The params of the bus.
  ///
  /// - Parameter prefix: of the aggregate's id.
  func body(_ prefix: String) -> String {
    let rows = rows.map { row in
      let quantity = row.quantity.map { "\($0)" } ?? "\"some\""
      return #"{"sku":"\#(row.sku)","quantity":\#(quantity)\#(row.unlimited ? #","unlimited":true"# : "")}"#
    }
    return #"{"snapshot":{"aggregate_id":"\#(prefix)\#(aggregate)","mode":"\#(mode.rawValue)","#
      + #""created_on":"\#(createdOn.text)","stock":[\#(rows.joined(separator: ","))]}}"#
  }
}

/// A second of the day on which the schedules run.
enum SimulatedTime: Sendable, Hashable {
  case past(Int64)
  /// More than ten minutes ahead of when a schedule begins.
  case future(Int64)

  /// 2023-11-14T22:00:00Z, in nanoseconds since 1970.
  static let origin: Int64 = 1_699_999_200 * 1_000_000_000
  static let minute: Int64 = 60 * 1_000_000_000
  /// When a schedule begins.
  static let beginning = origin + 10 * minute

  var nanoseconds: Int64 {
    switch self {
    case .past(let seconds): Self.origin + seconds * 1_000_000_000
    case .future(let seconds): Self.origin + 60 * Self.minute + seconds * 1_000_000_000
    }
  }

  var text: String {
    switch self {
    case .past(let seconds): "2023-11-14T22:00:0\(seconds)Z"
    case .future(let seconds): "2023-11-14T23:00:0\(seconds)Z"
    }
  }
}

extension Schedule: CustomStringConvertible {
  var description: String {
    rounds.enumerated().map { number, steps in
      let prefix = steps.count > 1 ? "at once: " : ""
      return steps.map { "  \(number + 1)  \(prefix)\($0)" }.joined(separator: "\n")
    }.joined(separator: "\n")
  }
}

extension Step: CustomStringConvertible {
  var description: String {
    switch self {
    case .deliver(let message, let replica): "replica \(replica) takes \(message)"
    case .die(let message, let replica): "replica \(replica) dies while it takes \(message)"
    case .restart(let replica): "replica \(replica) is restarted"
    case .cut(let replica): "the server ends the store's sessions but the one of replica \(replica) that reads"
    case .pass: "16 minutes pass"
    case .close(let aggregate, let replica): "replica \(replica) ends the NONZERO of \(aggregate) if it is idle"
    case .decide(let aggregate, let number, let apply, let replica):
      "the operator \(apply ? "applies" : "drops") number \(number) of what waits of \(aggregate), at replica \(replica)"
    case .reset(let aggregate, let sku, let replica):
      "the operator resets the time of \(aggregate) \(sku), at replica \(replica)"
    }
  }
}

extension StockMessage: CustomStringConvertible {
  var description: String {
    let rows = rows.map { "\($0.sku)=\($0.quantity.map { "\($0)" } ?? "some")\($0.unlimited ? "!" : "")" }
    return "\(id): \(mode.rawValue) of \(aggregate) at \(createdOn.text.suffix(9)) [\(rows.joined(separator: " "))]"
  }
}
