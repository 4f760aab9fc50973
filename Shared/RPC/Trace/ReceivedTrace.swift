import EventLoop

/// What a request's headers say about its trace.
///
/// A `traceparent` that is not valid, or comes twice, counts as none; `tracestate` means nothing without it (§3.3).
public struct ReceivedTrace: Sendable {
  private var parent: TraceContext?
  private var count = 0
  private var state = ""

  /// Nothing received yet.
  public init() {}

  /// Takes a `traceparent` field.
  public mutating func receive(traceparent bytes: UnsafeBufferPointer<UInt8>) {
    count += 1
    parent = count == 1 ? TraceContext(traceparent: bytes) : nil
  }

  /// Takes a `traceparent` field.
  public mutating func receive(traceparent text: String) {
    var text = text
    text.withUTF8 { receive(traceparent: $0) }
  }

  /// Takes a `tracestate` field; several are one list (RFC 9110 §5.3).
  public mutating func receive(tracestate text: String) {
    guard state.utf8.count <= TraceState.limit else { return }
    state = state.isEmpty ? text : "\(state),\(text)"
  }

  /// As ``context(_:)``, for whom no loop lends its generator. One for all, as to ask the system for a number takes longer than
  /// all the rest.
  public func context() -> TraceContext { Self.random.withLock { context(&$0) } }

  private static let random = Lock(LoopRandom())

  /// The call's own place: a child of what was received, or the beginning of a trace.
  public func context(_ random: inout some RandomNumberGenerator) -> TraceContext {
    guard let parent else { return .root(&random) }
    guard !state.isEmpty else { return parent.child(&random) }
    return TraceContext(
      traceID: parent.traceID, spanID: random.next() | 1, parentSpanID: parent.spanID, isSampled: parent.isSampled,
      state: TraceState.isValid(state) ? state : "")
  }
}
