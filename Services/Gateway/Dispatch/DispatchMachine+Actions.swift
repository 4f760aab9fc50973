extension DispatchMachine {
  struct Limits: Sendable {
    /// Deliveries at one time.
    var inFlight = 64
    /// Keys that are worked on at one time, those that wait for their next try included.
    var lanes = 10_000
    /// Messages held for delivery.
    var buffered = PageLimits(rows: 2_048, weight: 16 << 20)
    /// One reading of the journal.
    var page = PageLimits(rows: 512, weight: 4 << 20)
    /// Messages that one lane holds.
    var laneRows = 128
    /// Reads for single lanes at one time.
    var reads = 4
    /// Single messages that are being read at one time.
    var loads = 256
    /// Replayed messages that wait to be read.
    var requeued = 1_024
    /// Messages that are being given up by operators at one time.
    var withheld = 1_024
  }

  /// A key's lane; a message without a key has one of its own.
  enum LaneID: Hashable, Sendable {
    case key(String)
    case single(Int64)

    init(_ message: PendingMessage) { self.init(message.id, key: message.key) }

    init(_ message: Int64, key: String) { self = key.isEmpty ? .single(message) : .key(key) }
  }

  enum Action: Equatable, Sendable {
    /// To be answered by ``delivered(_:_:_:at:random:)`` and then ``settled(_:_:)``.
    case deliver(PendingMessage, LaneID)
    /// To be answered by ``scanned(_:)``.
    case scan(after: Int64)
    /// To be answered by ``refilled(_:through:_:now:)``.
    case refill(key: String, after: Int64, through: Int64)
    /// To be answered by ``loaded(_:_:_:)``.
    case load(Int64, LaneID)
    /// To be answered by ``resumed(_:now:)``.
    case resume(after: DueMessage.Place)
    /// To be answered by ``beginSweep(_:before:)`` and then ``swept(_:_:before:now:)``.
    case sweep(after: Int64, before: WallTime)
  }

  /// What the journal is to note of a try.
  enum Decision: Equatable, Sendable {
    case finish(MessageStatus, reason: String, result: [UInt8])
    case postpone(until: WallTime, reason: String)
    /// The try does not count.
    case nothing
  }
}
