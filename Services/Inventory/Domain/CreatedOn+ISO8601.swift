extension CreatedOn {
  /// Why a text is no point in time that the store can keep.
  enum ParseFailure: Error, Equatable {
    case unreadable
    case outOfRange
  }

  /// Reads what the bus sends: ISO 8601 with a `T` or a blank between date and time, with an offset or, then in UTC,
  /// without (`2026-03-01T10:00:00+02:00`, `2026-03-01 08:00:00.5`). Digits beyond nanoseconds are dropped.
  init(iso8601 text: String) throws(ParseFailure) {
    var reader = DigitReader(bytes: Array(text.utf8))
    let year = try reader.number(digits: 4)
    try reader.one(of: "-")
    let month = try reader.number(digits: 2, in: 1...12)
    try reader.one(of: "-")
    let day = try reader.number(digits: 2, in: 1...Self.days(inMonth: month, of: year))
    try reader.one(of: "Tt ")
    let hour = try reader.number(digits: 2, in: 0...23)
    try reader.one(of: ":")
    let minute = try reader.number(digits: 2, in: 0...59)
    try reader.one(of: ":")
    let second = try reader.number(digits: 2, in: 0...59)
    let nanoseconds = try reader.fraction()
    let offsetMinutes = try reader.offsetMinutes()
    guard reader.isAtEnd else { throw .unreadable }

    let days = Self.daysSince1970(year: year, month: month, day: day)
    let seconds = days * 86_400 + Int64(hour * 3_600 + minute * 60 + second - offsetMinutes * 60)
    guard let value = CreatedOn(seconds: seconds, nanoseconds: nanoseconds) else { throw .outOfRange }
    self = value
  }

  private static func days(inMonth month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days of the Gregorian calendar; years begin in March here, so that the leap day comes last
  /// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  private static func daysSince1970(year: Int, month: Int, day: Int) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted % 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return Int64(era * 146_097 + dayOfEra - 719_468)
  }
}

/// Goes through a text of digits and separators.
private struct DigitReader {
  let bytes: [UInt8]
  var position = 0

  var isAtEnd: Bool { position == bytes.count }

  mutating func digit() -> Int? {
    guard position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) else { return nil }
    defer { position += 1 }
    return Int(bytes[position] - UInt8(ascii: "0"))
  }

  mutating func number(digits: Int, in allowed: ClosedRange<Int> = 0...9_999) throws(CreatedOn.ParseFailure) -> Int {
    var value = 0
    for _ in 0..<digits {
      guard let digit = digit() else { throw .unreadable }
      value = value * 10 + digit
    }
    guard allowed.contains(value) else { throw .unreadable }
    return value
  }

  /// Takes one of the ASCII characters, or nothing.
  mutating func optional(_ allowed: StaticString) -> UInt8? {
    guard position < bytes.count else { return nil }
    let next = bytes[position]
    guard allowed.withUTF8Buffer({ $0.contains(next) }) else { return nil }
    position += 1
    return next
  }

  mutating func one(of allowed: StaticString) throws(CreatedOn.ParseFailure) {
    if optional(allowed) == nil { throw .unreadable }
  }

  /// Nanoseconds, from `.5` or `,5`; 0 when there is no fraction.
  mutating func fraction() throws(CreatedOn.ParseFailure) -> Int64 {
    if optional(".,") == nil { return 0 }
    guard let first = digit() else { throw .unreadable }
    var value = Int64(first) * 100_000_000
    var place: Int64 = 10_000_000
    while let digit = digit() {
      value += Int64(digit) * place
      place /= 10
    }
    return value
  }

  /// `Z`, `+hh:mm`, `+hhmm` or `+hh`; 0 when there is none.
  mutating func offsetMinutes() throws(CreatedOn.ParseFailure) -> Int {
    if optional("Zz") != nil { return 0 }
    guard let sign = optional("+-") else { return 0 }
    var minutes = try number(digits: 2, in: 0...23) * 60
    let hasColon = optional(":") != nil
    if hasColon || !isAtEnd { minutes += try number(digits: 2, in: 0...59) }
    return sign == UInt8(ascii: "-") ? -minutes : minutes
  }
}
