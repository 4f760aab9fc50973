import Glibc
import RPC
import Testing

@testable import ServiceKit

@Suite("Log")
struct LogTests {
  private func render(_ message: String, _ fields: KeyValuePairs<String, LogValue> = [:]) -> String {
    String(
      decoding: LogLine.render(
        time: 1_706_933_106_789_000_000, level: .info, service: "x", message: message, fields: fields),
      as: UTF8.self)
  }

  @Test("a line is one JSON object: time, level, service, message, fields")
  func form() {
    #expect(
      render("started", ["loops": 2, "addresses": ["unix:a", "b"], "slow": 1.5, "ok": true])
        == #"{"time":"2024-02-03T04:05:06.789Z","level":"info","service":"x","message":"started","#
        + #""fields":{"loops":2,"addresses":["unix:a","b"],"slow":1.5,"ok":true}}"# + "\n")
    #expect(render("m") == #"{"time":"2024-02-03T04:05:06.789Z","level":"info","service":"x","message":"m"}"# + "\n")
  }

  @Test(
    "what JSON or a terminal would act on is escaped",
    arguments: [
      ("a\"b", #"a\"b"#), (#"a\b"#, #"a\\b"#), ("a\nb\rc\td", #"a\nb\rc\td"#),
      ("\u{0}\u{1B}[31m", #"\u0000\u001b[31m"#),
      ("\u{7F}\u{9B}", #"\u007f\u009b"#), ("\u{2028}", #"\u2028"#), ("Kö 👍", "Kö 👍"), ("\r\n", #"\r\n"#),
    ])
  func escapes(text: String, escaped: String) {
    #expect(render(text).contains("\"message\":\"\(escaped)\"}"))
    #expect(render("m", ["\(text)": LogValue(text)]).contains("{\"\(escaped)\":\"\(escaped)\"}"))
  }

  @Test(
    "numbers that JSON lacks become text", arguments: [(Double.nan, "nan"), (.infinity, "inf"), (-.infinity, "-inf")])
  func notANumber(number: Double, text: String) {
    #expect(render("m", ["n": LogValue(number)]).contains("{\"n\":\"\(text)\"}"))
  }

  @Test(
    "a delivery's id is logged as the OMS shows it",
    arguments: [
      (#""d-1""#, "d-1"), ("12", "12"), ("null", "null"), (#""a\"b""#, #""a\"b""#), (#"""#, #"""#), (#""""#, ""),
    ])
  func deliveryID(json: String, text: String) {
    #expect(LogValue.deliveryID(json) == .text(text))
  }

  @Test("no line is longer than 4096 bytes, whatever is logged, and each stays an object")
  func bounded() {
    let long = String(repeating: "\u{1}ü", count: 5000)
    for line in [
      render(long), render("m", ["a": LogValue(long), "b": LogValue(long), "c": 1]),
      render("m", ["l": .list(Array(repeating: long, count: 100))]), render(long, ["\(long)": LogValue(long)]),
    ] {
      #expect(line.utf8.count <= LogLine.limit)
      #expect(line.hasSuffix("\"truncated\":true}\n"))
    }
  }

  @Test(
    "time is UTC with milliseconds, before 1970 too",
    arguments: [
      (Int64(0), "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
      (951_782_400_001_999_999, "2000-02-29T00:00:00.001Z"),
    ])
  func time(nanoseconds: Int64, text: String) {
    #expect(Timestamp.rfc3339(nanoseconds: nanoseconds) == text)
  }

  @Test("a secret shows itself as dots in logs, texts and dumps")
  func secret() {
    let secret = Secret("hunter2")
    var dumped = ""
    dump(secret, to: &dumped)
    dump(["nested": secret], to: &dumped)
    for text in [
      render("m", ["s": "\(secret)"]), "\(secret)", String(reflecting: [secret]), "\(Optional(secret) as Any)", dumped,
    ] {
      #expect(!text.contains("hunter2"))
    }
    #expect(secret.reveal() == "hunter2")
  }

  @Test("each line goes out whole, levels below the least are not written, and lost lines are counted")
  func writes() throws {
    var ends: [Int32] = [0, 0]
    let made = pipe(&ends)
    try #require(made == 0)
    for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    defer { close(ends[0]) }
    let logger = Logger(descriptor: ends[1])
    logger.configure(service: "inventory", level: .warning)
    #expect(!logger.writes(.info) && logger.writes(.warning))
    let fill = String(repeating: "x", count: 1000)
    for _ in 0..<200 { logger.write(.error, fill, []) }
    var text = drain(ends[0])
    #expect(text.split(separator: "\n").allSatisfy { $0.hasPrefix("{\"time\"") && $0.hasSuffix("}") })
    logger.write(.error, "after", [])
    text = drain(ends[0])
    let trace = TraceContext.root()
    logger.write(.error, "of a call", [("n", 1)], trace)
    #expect(drain(ends[0]).contains("\"fields\":{\"trace_id\":\"\(trace.traceID)\",\"n\":1}"))
    #expect(text.contains("log lines were dropped"))
    #expect(text.contains("\"service\":\"inventory\",\"message\":\"after\"}"))
    close(ends[1])
  }

  private func drain(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    var all: [UInt8] = []
    while case let count = read(descriptor, &bytes, bytes.count), count > 0 { all += bytes[..<count] }
    return String(decoding: all, as: UTF8.self)
  }
}
