// `google.protobuf.Timestamp`: a moment between the years 1 and 9999, UTC, to the nanosecond.
extension Google.Protobuf.Timestamp {
  /// From nanoseconds since 1970-01-01T00:00:00Z; negative before.
  public init(nanosecondsSinceEpoch: Int64) {
    var (seconds, nanos) = nanosecondsSinceEpoch.quotientAndRemainder(dividingBy: 1_000_000_000)
    // A timestamp's nanos count forward, also before 1970.
    if nanos < 0 { (seconds, nanos) = (seconds - 1, nanos + 1_000_000_000) }
    self.init(seconds: seconds, nanos: Int32(nanos))
  }

  /// Nanoseconds since 1970-01-01T00:00:00Z; nil before 1677-09-21 and after 2262-04-11, where 64 bits end, and when
  /// `nanos` is not between 0 and 999 999 999.
  public var nanosecondsSinceEpoch: Int64? {
    guard (0...999_999_999).contains(nanos) else { return nil }
    // One second less, made up for by the nanoseconds: the earliest moments would overflow in between.
    let (base, overflow) = (seconds < 0 ? seconds + 1 : seconds).multipliedReportingOverflow(by: 1_000_000_000)
    let rest = seconds < 0 ? Int64(nanos) - 1_000_000_000 : Int64(nanos)
    let (sum, overflows) = base.addingReportingOverflow(rest)
    return overflow || overflows ? nil : sum
  }

  /// Whether protobuf allows the value: the years 1 to 9999, nanos from 0 to 999 999 999.
  public var isValid: Bool {
    (CivilTime.firstSecond...CivilTime.lastSecond).contains(seconds) && (0...999_999_999).contains(nanos)
  }
}
