/// The value of `grpc-timeout`: at most eight digits and a unit.
/// Source: gRPC's `doc/PROTOCOL-HTTP2.md`, "Timeout".
enum Timeout {
  /// - Returns: nanoseconds, or nil when it isn't a timeout.
  static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64? {
    guard (2...9).contains(bytes.count) else { return nil }
    var value: UInt64 = 0
    for byte in bytes.dropLast() {
      guard (0x30...0x39).contains(byte) else { return nil }
      value = value * 10 + UInt64(byte - 0x30)
    }
    let unit: UInt64
    switch bytes[bytes.count - 1] {
    case UInt8(ascii: "H"): unit = 3_600_000_000_000
    case UInt8(ascii: "M"): unit = 60_000_000_000
    case UInt8(ascii: "S"): unit = 1_000_000_000
    case UInt8(ascii: "m"): unit = 1_000_000
    case UInt8(ascii: "u"): unit = 1_000
    case UInt8(ascii: "n"): unit = 1
    default: return nil
    }
    let (nanoseconds, overflow) = value.multipliedReportingOverflow(by: unit)
    // Some 300 years: as good as none, and safe to add to a clock.
    return overflow ? UInt64.max / 2 : min(nanoseconds, UInt64.max / 2)
  }

  /// The finest unit that the eight digits have room for, rounded up so that the peer does not give up before us.
  static func format(nanoseconds: UInt64) -> String {
    let units: [(String, UInt64)] = [
      ("n", 1), ("u", 1_000), ("m", 1_000_000), ("S", 1_000_000_000), ("M", 60_000_000_000), ("H", 3_600_000_000_000),
    ]
    for (unit, size) in units {
      let value = nanoseconds / size + (nanoseconds % size == 0 ? 0 : 1)
      if value <= 99_999_999 { return "\(value)\(unit)" }
    }
    return "99999999H"
  }
}
