import RPC
import Testing

@testable import ServiceKit

@Suite("Exposition")
struct ExpositionTests {
  @Test("a metric is its help, its type and its samples")
  func form() {
    var text = Exposition()
    text.begin("a_total", .counter, "Things that happened")
    text.sample("a_total", ["kind": "x"], UInt64(3))
    text.begin("b", .gauge, "A level")
    text.sample("b", [:], 1.5)
    #expect(
      text.text == """
        # HELP a_total Things that happened
        # TYPE a_total counter
        a_total{kind="x"} 3
        # HELP b A level
        # TYPE b gauge
        b 1.5

        """)
  }

  @Test(
    "what would end a label is escaped",
    arguments: [
      ("plain", "plain"), ("a\"b", #"a\"b"#), (#"a\b"#, #"a\\b"#), ("a\nb", #"a\nb"#), ("\\\"\n", #"\\\"\n"#),
      ("Kö", "Kö"),
      ("} 1\n# TYPE x", #"} 1\n# TYPE x"#), ("\r\n", "\r\\n"),
    ])
  func labels(value: String, escaped: String) {
    var text = Exposition()
    text.sample("m", ["l": value], UInt64(1))
    #expect(text.text == "m{l=\"\(escaped)\"} 1\n")
  }

  @Test("a help text escapes backslash and newline, not quotes")
  func help() {
    var text = Exposition()
    text.begin("m", .gauge, "a \"b\" \\ c\nd")
    #expect(text.text == "# HELP m a \"b\" \\\\ c\\nd\n# TYPE m gauge\n")
  }

  @Test(
    "numbers are written as Prometheus reads them",
    arguments: [
      (0, "0"), (1, "1"), (-2.5, "-2.5"), (0.00001, "1e-05"), (4_294_967_296, "4294967296"), (.nan, "NaN"),
      (.infinity, "+Inf"), (-.infinity, "-Inf"), (1e300, "1e+300"),
    ] as [(Double, String)])
  func numbers(value: Double, text: String) { #expect(Exposition.number(value) == text) }

  @Test("a histogram's buckets add up, end at +Inf, and its count is the last of them")
  func histogram() {
    var text = Exposition()
    text.histogram("h", ["l": "v"], bounds: ["1", "2"], counts: [3, 0, 4], sum: 9.5)
    #expect(
      text.text == """
        h_bucket{l="v",le="1"} 3
        h_bucket{l="v",le="2"} 3
        h_bucket{l="v",le="+Inf"} 7
        h_sum{l="v"} 9.5
        h_count{l="v"} 7

        """)
  }

  @Test(
    "a bound belongs to the bucket that it ends",
    arguments: [
      (0, 0), (1, 1), (10_000, 1), (10_001, 2), (50_000, 2), (99_999_999_999, 40), (100_000_000_000, 40),
      (100_000_000_001, 41), (UInt64.max, 41),
    ])
  func bounds(nanoseconds: UInt64, index: Int) {
    #expect(BucketBounds.latency.index(of: nanoseconds) == index)
    #expect(BucketBounds.latency.count == 42)
  }

  @Test("a log-linear histogram goes into the buckets without a call lost, none in a bucket below it")
  func logLinear() {
    var histogram = Histogram()
    let values: [UInt64] = [0, 1, 9, 10, 11, 49, 50, 640, 799, 800, 1000, 99_000, 1_000_000, 200_000_000, .max / 2]
    for value in values { histogram.record(microseconds: value) }
    let bounds = BucketBounds.latencyMicroseconds
    let counts = histogram.counts(in: bounds)
    #expect(counts.reduce(0, +) == UInt64(values.count))
    var cumulative: UInt64 = 0
    for (index, count) in counts.enumerated() {
      cumulative += count
      #expect(cumulative <= values.filter { bounds.index(of: $0) <= index }.count)
    }
    #expect(counts[0] == 1 && counts[1] == 3 && counts[2] == 3)
  }

  @Test("a process says how much it uses")
  func process() throws {
    var text = Exposition()
    ProcessMetrics.write(to: &text)
    for name in [
      "process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_cpu_seconds_total",
      "process_start_time_seconds",
    ] {
      let line = try #require(text.text.split(separator: "\n").first { $0.hasPrefix("\(name) ") })
      #expect(try #require(Double(line.dropFirst(name.count + 1))) > 0)
    }
  }
}
