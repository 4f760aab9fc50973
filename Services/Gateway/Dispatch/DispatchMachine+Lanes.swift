extension DispatchMachine {
  struct Lane {
    enum State: Equatable {
      case idle
      /// In the queue of lanes that have something to deliver.
      case ready
      case delivering(Int64)
      /// Until its message's end is durable.
      case settling
      /// Its next message failed and is tried again then.
      case parked(Int64, Wait, byDestination: Bool)
      /// Its next message is being read.
      case loading(Int64)
    }

    var state = State.idle
    /// The next first.
    var buffer: [PendingMessage] = []
    /// Everything of this key through here is in the buffer or beyond it.
    var lastLoaded: Int64 = 0
    /// The last message of this key in the journal, as far as it was read.
    var lastSeen: Int64 = 0
    /// Through which message the journal is being read for this lane.
    var refilling: Int64?
    /// The refill that is under way is to be forgotten: the lane waits now, or there is more to read, and it will ask again.
    var isRefillStale = false
    /// The message that is being read was given up meanwhile.
    var isLoadStale = false
    /// What was delivered, until that is durable: the journal gives it out still.
    var unsettled: Set<Int64> = []
    /// What has become durable since the refill that is under way began.
    var settledMeanwhile: Set<Int64> = []
    /// Replayed before their last delivery was durable.
    var again: Set<Int64> = []
    /// Answers of the destination before its message was sent.
    var answersAtStart: UInt64 = 0
    /// Its message was sent and not answered: the destination's answers by then, and since when it is so.
    var silence: (answers: UInt64, since: WallTime)?
    /// While it is parked: the journal has the time of the next try, or will have it when the try before is settled.
    var isStored = false
    var willBeStored = false
    /// It may have older messages than the one that it was made for, which are read first.
    var isCold = false

    var hasMore: Bool { lastSeen > lastLoaded }

    /// Whether a message that was read from the journal is on its way already, or is through.
    func isUnderWay(_ id: Int64) -> Bool {
      switch state {
      case .parked(id, _, _), .loading(id): true
      default: unsettled.contains(id) || settledMeanwhile.contains(id)
      }
    }
  }

  mutating func makeReady(_ id: LaneID) {
    guard let lane = lanes[id], lane.state == .idle else { return }
    if !lane.buffer.isEmpty {
      lanes[id]?.state = .ready
      ready.append(id)
    } else if lane.hasMore {
      if lane.refilling == nil { wantsRefill.append(id) }
    } else if lane.refilling == nil && lane.unsettled.isEmpty {
      lanes[id] = nil
    }
  }

  func isParked(_ lane: Lane) -> Bool {
    switch lane.state {
    case .parked, .loading: true
    default: false
    }
  }

  mutating func buffer(_ message: PendingMessage, in lane: inout Lane) {
    lane.buffer.append(message)
    rebuffer(message)
  }

  mutating func rebuffer(_ message: PendingMessage) {
    buffered.rows += 1
    buffered.weight += message.weight
  }

  mutating func unbuffer(_ message: PendingMessage) {
    buffered.rows -= 1
    buffered.weight -= message.weight
  }
}
