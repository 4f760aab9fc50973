import Messages
import Testing

@Suite("Timestamps")
struct TimestampTests {
  private typealias Timestamp = Google.Protobuf.Timestamp

  @Test(
    "dates are read in all the ways in which the OMS writes them",
    arguments: [
      ("2024-02-03T04:05:06Z", 1_706_933_106, 0, "2024-02-03T04:05:06Z"),
      ("2024-02-03t04:05:06z", 1_706_933_106, 0, "2024-02-03T04:05:06Z"),
      ("2024-02-03T04:05:06+00:00", 1_706_933_106, 0, "2024-02-03T04:05:06Z"),
      ("2024-02-03 04:05:06", 1_706_933_106, 0, "2024-02-03T04:05:06Z"),
      ("2024-02-03 05:05:06+01:00", 1_706_933_106, 0, "2024-02-03T04:05:06Z"),
      ("2024-02-03 05:05:06 +01:00", 1_706_933_106, 0, "2024-02-03T04:05:06Z"),
      ("2024-02-03T05:05:06+0100", 1_706_933_106, 0, "2024-02-03T04:05:06Z"),
      ("2024-02-02T19:35:06-08:30", 1_706_933_106, 0, "2024-02-03T04:05:06Z"),
      ("2024-02-03T05:05:06+01", 1_706_933_106, 0, "2024-02-03T04:05:06Z"),
      ("2024-02-03T04:05:06.5Z", 1_706_933_106, 500_000_000, "2024-02-03T04:05:06.500Z"),
      ("2024-02-03T04:05:06.000123", 1_706_933_106, 123_000, "2024-02-03T04:05:06.000123Z"),
      ("2024-02-03T04:05:06.0000000019Z", 1_706_933_106, 1, "2024-02-03T04:05:06.000000001Z"),
      ("1970-01-01T00:00:00Z", 0, 0, "1970-01-01T00:00:00Z"),
      ("1969-12-31T23:59:59.25Z", -1, 250_000_000, "1969-12-31T23:59:59.250Z"),
      ("2000-02-29T00:00:00Z", 951_782_400, 0, "2000-02-29T00:00:00Z"),
      ("2016-12-31T23:59:60Z", 1_483_228_800, 0, "2017-01-01T00:00:00Z"),
      ("0001-01-01T00:00:00Z", -62_135_596_800, 0, "0001-01-01T00:00:00Z"),
      ("9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999, "9999-12-31T23:59:59.999999999Z"),
    ] as [(String, Int64, Int32, String)])
  func parsing(text: String, seconds: Int64, nanos: Int32, written: String) throws {
    let timestamp = try Timestamp(parsing: text)
    #expect(timestamp == Timestamp(seconds: seconds, nanos: nanos))
    #expect(timestamp.text == written)
  }

  @Test(
    "what is no moment is refused with the text",
    arguments: [
      "", "yesterday", "2024-02-03", "2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
      "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z", "2024-04-31T00:00:00Z",
      "2024-01-01T24:00:00Z",
      "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z", "2024-01-01T00:00Z", "2024-1-1T00:00:00Z",
      "2024-01-01T00:00:00.Z",
      "2024-01-01T00:00:00+", "2024-01-01T00:00:00+1", "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00+01:60",
      "2024-01-01T00:00:00Zx", "2024-01-01T00:00:00 ", "24-01-01T00:00:00Z", "0000-12-31T00:00:00Z",
      "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2024-01-01T00:00:00 CET", "１２３４-01-01T00:00:00Z",
      "1706933106",
    ])
  func refused(text: String) {
    #expect {
      try Timestamp(parsing: text)
    } throws: { "\($0)" == "\(JSONText.quoted(text)) is not a date and time such as 2024-02-03T04:05:06+00:00" }
  }

  @Test("every day of four centuries is written and read back")
  func days() throws {
    var previous = ""
    for day in Int64(-73_000)..<73_100 {
      let timestamp = Timestamp(seconds: day * 86_400 + 86_399)
      let text = timestamp.text
      #expect(try Timestamp(parsing: text) == timestamp)
      #expect(text > previous)
      previous = text
    }
  }

  @Test(
    "nanoseconds since 1970 are converted both ways",
    arguments: [
      (0, 0, 0), (1, 0, 1), (-1, -1, 999_999_999), (1_000_000_000, 1, 0), (-1_000_000_000, -1, 0),
      (.max, 9_223_372_036, 854_775_807), (.min, -9_223_372_037, 145_224_192),
    ] as [(Int64, Int64, Int32)])
  func nanoseconds(nanoseconds: Int64, seconds: Int64, nanos: Int32) {
    let timestamp = Timestamp(nanosecondsSinceEpoch: nanoseconds)
    #expect(timestamp == Timestamp(seconds: seconds, nanos: nanos))
    #expect(timestamp.nanosecondsSinceEpoch == nanoseconds)
  }

  @Test("moments beyond 64 bits of nanoseconds have none")
  func outOfRange() {
    for timestamp in [
      Timestamp(seconds: 9_223_372_036, nanos: 854_775_808), Timestamp(seconds: -9_223_372_037, nanos: 145_224_191),
      Timestamp(seconds: .max), Timestamp(seconds: .min), Timestamp(seconds: 0, nanos: -1),
      Timestamp(seconds: 0, nanos: 1_000_000_000),
    ] {
      #expect(timestamp.nanosecondsSinceEpoch == nil)
    }
  }

  @Test("a timestamp that RFC 3339 cannot say is written as its fields")
  func invalidAsJSON() {
    #expect(Timestamp(seconds: 1, nanos: -5).json() == #"{"seconds":1,"nanos":-5}"#)
    #expect(Timestamp(seconds: .max).json() == #"{"seconds":9223372036854775807}"#)
  }

  @Test("a timestamp of any number has a text", arguments: [Int64.min, .min + 1, -1, .max])
  func anyText(seconds: Int64) { #expect(Timestamp(seconds: seconds).text.hasSuffix("Z")) }
}
