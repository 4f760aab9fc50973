import EventLoop

/// Where a call stands in a distributed trace: W3C Trace Context, <https://www.w3.org/TR/trace-context-1/>.
///
/// Every call that a server takes is a span of its own: of the trace that its client sent along in `traceparent`, or of a
/// new one when there was none that is valid. What the call does elsewhere goes on under ``traceparent``.
public struct TraceContext: Sendable, Hashable {
  /// The trace's 16 bytes, never all zero.
  public let traceID: TraceID
  /// The span of this hop, never zero.
  public let spanID: UInt64
  /// The span that asked for it; 0 when the trace begins here.
  public let parentSpanID: UInt64
  /// Whether somebody up the way records the trace. Bit 0 of the flags, the only one there is in version 00.
  public let isSampled: Bool
  /// What tracing systems on the way have added (`tracestate`), as it is passed on; empty when there is nothing.
  public let state: String

  /// A trace's number, big-endian on the wire.
  public struct TraceID: Sendable, Hashable, CustomStringConvertible {
    /// Its first eight bytes.
    public let high: UInt64
    /// Its last eight bytes.
    public let low: UInt64

    /// 32 lower-case hexadecimal digits.
    public var description: String {
      String(unsafeUninitializedCapacity: 32) { buffer in
        guard let start = buffer.baseAddress else { return 0 }
        HexDigits.write(high, to: start)
        HexDigits.write(low, to: start + 16)
        return 32
      }
    }

    var isZero: Bool { high | low == 0 }
  }

  init(traceID: TraceID, spanID: UInt64, parentSpanID: UInt64 = 0, isSampled: Bool = false, state: String = "") {
    self.traceID = traceID
    self.spanID = spanID
    self.parentSpanID = parentSpanID
    self.isSampled = isSampled
    self.state = state
  }

  /// Begins a trace, for work that no call asked for. Nobody samples it: its numbers are for logs.
  public static func root() -> TraceContext {
    var random = SystemRandomNumberGenerator()
    return root(&random)
  }

  static func root(_ random: inout some RandomNumberGenerator) -> TraceContext {
    TraceContext(
      // Zero is not allowed (§3.2.2.3); that it comes up is as good as impossible, and would cost one bit.
      traceID: TraceID(high: random.next(), low: random.next() | 1), spanID: random.next() | 1)
  }

  /// The next hop of the same trace.
  func child(_ random: inout some RandomNumberGenerator) -> TraceContext {
    TraceContext(
      traceID: traceID, spanID: random.next() | 1, parentSpanID: spanID, isSampled: isSampled, state: state)
  }

  /// What the next hop gets: version, trace, this hop's span, flags.
  public var traceparent: String {
    String(unsafeUninitializedCapacity: Self.traceparentLength) { buffer in
      guard let start = buffer.baseAddress else { return 0 }
      writeTraceparent(to: start)
      return Self.traceparentLength
    }
  }

  /// Writes `traceparentLength` bytes.
  func writeTraceparent(to pointer: UnsafeMutableRawPointer) {
    let (version, flags): (StaticString, StaticString) = ("00-", isSampled ? "-01" : "-00")
    pointer.copyMemory(from: version.utf8Start, byteCount: 3)
    HexDigits.write(traceID.high, to: pointer + 3)
    HexDigits.write(traceID.low, to: pointer + 19)
    pointer.storeBytes(of: UInt8(ascii: "-"), toByteOffset: 35, as: UInt8.self)
    HexDigits.write(spanID, to: pointer + 36)
    (pointer + 52).copyMemory(from: flags.utf8Start, byteCount: 3)
  }

  /// Of version 00.
  static let traceparentLength = 55
}
