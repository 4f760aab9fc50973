/// How a call ended, seen from the server.
public struct CallSummary: Sendable {
  /// The call itself.
  public let context: ServerContext
  /// nil when the call ended with OK. Its cause is what the client does not get to see.
  public let error: RPCError?
  /// From the request's headers to the status.
  public let durationNanoseconds: UInt64
  /// What went over the wire beside headers.
  public let messages: MessageCounts

  /// The status that the client gets, or would have got had it stayed.
  public var code: StatusCode { error?.code ?? .ok }
}

/// Messages of a call, both ways. Bytes are counted as they are on the wire: compressed when they are, without the five
/// bytes of prefix before each.
public struct MessageCounts: Sendable, Equatable {
  /// Messages that were taken from the peer; one that nobody has read is not among them.
  public internal(set) var received = 0
  /// Of those, all together.
  public internal(set) var receivedBytes = 0
  /// Messages that were given out to be sent, whether the peer has read them or not.
  public internal(set) var sent = 0
  /// Of those, all together.
  public internal(set) var sentBytes = 0

  init() {}
}
