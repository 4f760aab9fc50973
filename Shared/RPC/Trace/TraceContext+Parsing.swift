extension TraceContext {
  /// Reads a `traceparent` field: the sender's place in the trace.
  ///
  /// Strict as §3.2.2 wants it: lower-case digits, no zero ids, version `ff` does not exist. Of a version to come the part
  /// that version 00 has is read, if more follows behind another dash only.
  /// - Returns: nil when it is not valid, and a new trace is to begin.
  init?(traceparent bytes: UnsafeBufferPointer<UInt8>) {
    let dash = UInt8(ascii: "-")
    guard bytes.count >= Self.traceparentLength, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
      let version = HexDigits.read(bytes[0..<2]), version != 0xFF,
      bytes.count == Self.traceparentLength || version != 0 && bytes[Self.traceparentLength] == dash,
      let high = HexDigits.read(bytes[3..<19]), let low = HexDigits.read(bytes[19..<35]),
      let span = HexDigits.read(bytes[36..<52]), span != 0, let flags = HexDigits.read(bytes[53..<55])
    else { return nil }
    let trace = TraceID(high: high, low: low)
    guard !trace.isZero else { return nil }
    self.init(traceID: trace, spanID: span, isSampled: flags & 1 == 1)
  }

  init?(traceparent text: String) {
    var text = text
    guard let context = text.withUTF8({ TraceContext(traceparent: $0) }) else { return nil }
    self = context
  }
}
