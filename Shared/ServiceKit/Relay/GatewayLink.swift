import RPC

/// Whether the gateway takes messages, and when to try again when it doesn't: with one message, until one gets through.
struct GatewayLink {
  private var backOff: BackOff
  private var pausedUntil: UInt64 = 0
  private(set) var isAway = false

  init(first: Duration, longest: Duration) { backOff = BackOff(first: first, longest: longest) }

  /// A call failed, and not because of its message.
  ///
  /// - Returns: whether that is news.
  mutating func failed(now: UInt64, using random: inout some RandomNumberGenerator) -> Bool {
    // Calls that were under way together fail together: they are one failure.
    if isAway, now < pausedUntil { return false }
    pausedUntil = now &+ backOff.next(using: &random)
    defer { isAway = true }
    return !isAway
  }

  /// The gateway has answered something that is about the message.
  ///
  /// - Returns: whether that is news.
  mutating func answered() -> Bool {
    defer { isAway = false }
    backOff.reset()
    return isAway
  }

  /// Calls that may be under way.
  func limit(now: UInt64) -> Int {
    if !isAway { return .max }
    return now < pausedUntil ? 0 : 1
  }

  /// When a call may be made again; nil when it may be made in any case.
  var nextTime: UInt64? { isAway ? pausedUntil : nil }
}

extension RPCError {
  /// Whether this says that the gateway is not there, or not ready, rather than something of one message.
  var isAboutTheGateway: Bool {
    switch code {
    case .unavailable, .deadlineExceeded, .resourceExhausted, .cancelled, .unimplemented, .permissionDenied,
      .unauthenticated:
      true
    default: false
    }
  }

  /// Whether the gateway will never take this message: it is none, or its id is that of another one.
  var isFinal: Bool { code == .invalidArgument || code == .alreadyExists }

  /// Whether the gateway knows another message by this id: the store was brought back from a backup, and counts again.
  var meansIDReused: Bool {
    guard code == .alreadyExists else { return false }
    return details.contains { detail in
      if case .errorInfo(reason: "DELIVERY_ID_REUSED", domain: "omsconnector", _) = detail { true } else { false }
    }
  }
}
