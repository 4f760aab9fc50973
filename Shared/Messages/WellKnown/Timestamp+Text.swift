extension Google.Protobuf.Timestamp {
  /// Reads a date and time: RFC 3339 (`2024-02-03T04:05:06.789Z`, `…+01:00`), also with a blank for the T, with a blank
  /// before the zone, with a zone of `+0100` or `+01`, and without a zone, which means UTC. Digits beyond nanoseconds
  /// are cut off.
  ///
  /// - Throws: `MessageError.unfit` with the text when it is none, or lies outside the years 1 to 9999.
  public init(parsing text: String) throws(MessageError) {
    var text = text
    let parsed = text.withUTF8 { bytes in
      var reader = DateReader(bytes: bytes)
      return reader.timestamp()
    }
    guard let parsed else {
      throw .unfit(
        field: "", value: JSONText.quoted(text, limit: 64),
        reason: "is not a date and time such as 2024-02-03T04:05:06+00:00")
    }
    self = parsed
  }

  /// RFC 3339 in UTC with as many digits of the second as needed (0, 3, 6 or 9), e.g. `2024-02-03T04:05:06Z`.
  public var text: String {
    let time = CivilTime(secondsSinceEpoch: seconds)
    var result: [UInt8] = []
    result.reserveCapacity(30)
    Self.append(time.year, digits: 4, to: &result)
    for (separator, part) in zip("--T::".utf8, [time.month, time.day, time.hour, time.minute, time.second]) {
      result.append(separator)
      Self.append(part, digits: 2, to: &result)
    }
    if nanos != 0 {
      result.append(UInt8(ascii: "."))
      if nanos % 1_000_000 == 0 {
        Self.append(Int64(nanos / 1_000_000), digits: 3, to: &result)
      } else if nanos % 1_000 == 0 {
        Self.append(Int64(nanos / 1_000), digits: 6, to: &result)
      } else {
        Self.append(Int64(nanos), digits: 9, to: &result)
      }
    }
    result.append(UInt8(ascii: "Z"))
    return String(decoding: result, as: UTF8.self)
  }

  private static func append(_ value: Int64, digits: Int, to result: inout [UInt8]) {
    // Of a timestamp that is none the text means nothing, but it is one.
    let value = value.magnitude
    var divisor: UInt64 = 1
    for _ in 1..<digits { divisor *= 10 }
    while divisor > 0 {
      result.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
      divisor /= 10
    }
  }
}

/// Reads one date and time from ASCII text.
private struct DateReader {
  let bytes: UnsafeBufferPointer<UInt8>
  var position = 0

  mutating func timestamp() -> Google.Protobuf.Timestamp? {
    guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2),
      skip("T") || skip("t") || skip(" "),
      let hour = digits(2), skip(":"), let minute = digits(2), skip(":"), let second = digits(2)
    else { return nil }
    let time = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    guard time.exists, let nanos = fraction(), let offset = zone(), position == bytes.count else { return nil }
    let result = Google.Protobuf.Timestamp(seconds: time.secondsSinceEpoch - offset, nanos: nanos)
    return result.isValid ? result : nil
  }

  private mutating func digits(_ count: Int) -> Int64? {
    guard position + count <= bytes.count else { return nil }
    var value: Int64 = 0
    for _ in 0..<count {
      guard let digit = nextDigit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  private mutating func nextDigit() -> Int64? {
    guard position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) else { return nil }
    defer { position += 1 }
    return Int64(bytes[position] - UInt8(ascii: "0"))
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// Nanoseconds; 0 without a fraction, nil for a dot without digits.
  private mutating func fraction() -> Int32? {
    guard skip(".") || skip(",") else { return 0 }
    guard var value = nextDigit() else { return nil }
    var count = 1
    while let digit = nextDigit() {
      if count < 9 { value = value * 10 + digit }
      count += 1
    }
    while count < 9 {
      value *= 10
      count += 1
    }
    return Int32(value)
  }

  /// Seconds east of UTC; 0 at the end of the text.
  private mutating func zone() -> Int64? {
    if position == bytes.count { return 0 }
    _ = skip(" ")
    if skip("Z") || skip("z") { return 0 }
    let sign: Int64
    if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
    guard let hours = digits(2), hours <= 23 else { return nil }
    if position == bytes.count { return sign * hours * 3_600 }
    _ = skip(":")
    guard let minutes = digits(2), minutes <= 59 else { return nil }
    return sign * (hours * 3_600 + minutes * 60)
  }
}
