import Testing

@testable import ServiceKit

@Suite("Timings")
struct TimingsTests {
  @Test("endpoints are listed by kind and name, with their calls and failures")
  func lists() throws {
    let timings = Timings()
    timings.record(kind: .grpcMethod, endpoint: "b.S/M", failed: false, duration: .milliseconds(2))
    timings.record(kind: .grpcMethod, endpoint: "a.S/M", failed: true, duration: .microseconds(3))
    timings.record(kind: .busMethod, endpoint: "z.updated", failed: false, duration: .nanoseconds(1500))
    timings.record(kind: .grpcMethod, endpoint: "a.S/M", failed: false, duration: .microseconds(5))
    let entries = timings.entries()
    #expect(entries.map(\.endpoint) == ["z.updated", "a.S/M", "b.S/M"])
    #expect(entries.map(\.histogram.count) == [1, 2, 1])
    #expect(entries.map(\.histogram.failures) == [0, 1, 0])
    #expect(entries.map(\.histogram.sum) == [2, 8, 2000])
  }

  @Test("endpoints beyond the limit are counted together")
  func bounded() {
    let timings = Timings(limit: 10)
    for index in 0..<1000 { timings.record(kind: .busMethod, endpoint: "m\(index)", failed: false, duration: .zero) }
    let entries = timings.entries()
    #expect(entries.count == 10)
    #expect(entries.first { $0.endpoint == Timings.overflowName }?.histogram.count == 991)
  }

  @Test(
    "durations out of range are clamped",
    arguments: [(Duration.seconds(-1), 0), (.seconds(Int64.max), 4_000_000_000_000_000)] as [(Duration, UInt64)])
  func clamps(duration: Duration, microseconds: UInt64) {
    let timings = Timings()
    timings.record(kind: .busMethod, endpoint: "m", failed: false, duration: duration)
    #expect(timings.entries().first?.histogram.max == microseconds)
  }

  @Test("nothing is lost when many tasks record at once")
  func concurrent() async {
    let timings = Timings()
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for index in 0..<2000 {
            timings.record(
              kind: .grpcMethod, endpoint: "s/\(index % 5)", failed: task == 0, duration: .microseconds(index))
          }
        }
      }
    }
    #expect(timings.entries().map(\.histogram.count) == Array(repeating: 3200, count: 5))
    #expect(timings.entries().map(\.histogram.failures) == Array(repeating: 400, count: 5))
  }
}
