import Messages
import ServiceKit
import TestSupport
import Testing

@testable import Gateway

@Suite struct TimingHistoryTests {
  private let start = WallTime(seconds: 472_222 * 3600)

  private func entry(_ name: String, kind: Timings.Kind = .busMethod, _ microseconds: [UInt64]) -> Timings.Entry {
    Timings.Entry(kind: kind, endpoint: name, histogram: histogram(microseconds))
  }

  private func histogram(_ microseconds: [UInt64]) -> Histogram {
    var histogram = Histogram()
    for value in microseconds { histogram.record(microseconds: value, failed: value % 10 == 3) }
    return histogram
  }

  private func total(_ history: TimingHistory, _ name: String) -> Histogram {
    var total = Histogram()
    for (endpoint, hours) in history.hours(kind: nil, since: nil) where endpoint.name == name {
      for hour in hours { total.merge(hour.1) }
    }
    return total
  }

  @Test("counters that are asked for twice count once")
  func cumulative() {
    var history = TimingHistory(now: start)
    for values in [[5], [5], [5, 70, 900], [5, 70, 900]] as [[UInt64]] {
      history.add(service: "inventory", instance: "a", entries: [entry("m", values)], now: start)
    }
    #expect(total(history, "m") == histogram([5, 70, 900]))
  }

  @Test("a restart, which is another instance, adds; an answer that was overtaken does not")
  func restart() {
    var history = TimingHistory(now: start)
    history.add(service: "inventory", instance: "a", entries: [entry("m", [5, 70])], now: start)
    history.add(service: "inventory", instance: "a", entries: [entry("m", [5])], now: start)
    history.add(service: "inventory", instance: "b", entries: [entry("m", [8])], now: start)
    history.add(service: "inventory", instance: "a", entries: [entry("m", [5, 70, 9])], now: start)
    #expect(total(history, "m") == histogram([5, 70, 8, 9]))
  }

  @Test("totals only grow: when a replica starts anew, when hours pass, when an instance is forgotten")
  func totals() throws {
    var history = TimingHistory(limits: .init(hours: 1, instances: 1), now: start)
    let key = TimingHistory.Endpoint(service: "inventory", kind: .busMethod, name: "m")
    var seen: [(count: UInt64, sum: UInt64, failures: UInt64)] = []
    let steps: [(instance: String, values: [UInt64], hour: Int64)] = [
      ("a", [5, 3], 0), ("a", [5, 3, 13], 0), ("b", [8], 0), ("b", [8, 9], 1), ("c", [1], 5), ("c", [1, 1], 9),
    ]
    for (index, step) in steps.enumerated() {
      history.add(
        service: "inventory", instance: step.instance, entries: [entry("m", step.values)],
        now: start + .seconds(3600 * step.hour + Int64(index)))
      let total = try #require(history.totals[key])
      seen.append((total.count, total.sum, total.failures))
      let written = text(history.totals)
      #expect(written.contains("omsconnector_endpoint_duration_seconds_count{\(Self.labels)} \(total.count)\n"))
      #expect(written.contains("omsconnector_endpoint_failures_total{\(Self.labels)} \(total.failures)\n"))
    }
    #expect(seen.map(\.count) == [2, 3, 4, 5, 6, 7])
    #expect(seen.map(\.sum) == [8, 21, 29, 38, 39, 40])
    #expect(seen.map(\.failures) == [1, 2, 2, 2, 2, 2])
  }

  private static let labels = #"service="inventory",kind="bus",endpoint="m""#

  private func text(_ totals: [TimingHistory.Endpoint: Histogram]) -> String {
    var text = Exposition()
    GatewayMetrics.write(endpoints: totals, to: &text)
    return text.text
  }

  @Test("a replica whose counters contradict themselves stops nobody, also when the hour has passed")
  func contradiction() {
    var history = TimingHistory(now: start)
    history.add(service: "inventory", instance: "a", entries: [entry("m", [5, 5, 5])], now: start)
    // One call more, but other calls than before.
    history.add(service: "inventory", instance: "a", entries: [entry("m", [900, 900, 900, 900])], now: start)
    history.add(service: "inventory", instance: "a", entries: [], now: start + .seconds(3600))
    let hours = history.hours(kind: nil, since: nil)
    #expect(hours.count == 1)
    #expect(total(history, "m").count == 7)
  }

  @Test(
    "replicas, asked in any order and in pieces, give exactly the histogram of all their calls",
    arguments: 0..<10 as Range<UInt64>)
  func union(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var history = TimingHistory(now: start)
    var calls: [[UInt64]] = [[], [], []]
    var now = start
    for _ in 0..<200 {
      let replica = Int.random(in: 0..<3, using: &random)
      for _ in 0..<Int.random(in: 0...5, using: &random) {
        calls[replica].append(UInt64.random(in: 0...1 << UInt64.random(in: 1...33, using: &random), using: &random))
      }
      now = now + .seconds(Int.random(in: 0...600, using: &random))
      let asked = Int.random(in: 0..<3, using: &random)
      history.add(service: "inventory", instance: "\(asked)", entries: [entry("m", calls[asked])], now: now)
    }
    for replica in 0..<3 {
      history.add(service: "inventory", instance: "\(replica)", entries: [entry("m", calls[replica])], now: now)
    }
    #expect(total(history, "m") == histogram(calls.flatMap(\.self)))
  }

  @Test("calls go to the hour in which they were asked for; hours without calls are left out")
  func hours() {
    var history = TimingHistory(now: start)
    history.add(service: "s", instance: "a", entries: [entry("m", [1])], now: start + .seconds(3599))
    history.add(service: "s", instance: "a", entries: [entry("m", [1, 2, 3])], now: start + .seconds(3600))
    history.add(service: "s", instance: "a", entries: [entry("m", [1, 2, 3, 4])], now: start + .seconds(4 * 3600))
    let hours = history.hours(kind: nil, since: nil)[0].hours
    #expect(hours.map { ($0.start.seconds - start.seconds) / 3600 } == [0, 1, 4])
    #expect(hours.map(\.1.count) == [1, 2, 1])
  }

  @Test("since counts the hours that ended after it, kind picks")
  func filters() {
    var history = TimingHistory(now: start)
    history.add(
      service: "s", instance: "a", entries: [entry("m", [1]), entry("/p.S/M", kind: .grpcMethod, [2])], now: start)
    history.add(service: "s", instance: "b", entries: [entry("m", [1])], now: start + .seconds(3600))
    #expect(history.hours(kind: nil, since: start + .seconds(3599)).map(\.hours.count) == [2, 1])
    #expect(history.hours(kind: nil, since: start + .seconds(3600)).map(\.hours.count) == [1])
    #expect(history.hours(kind: .grpcMethod, since: nil).map(\.endpoint.name) == ["p.S/M"])
    #expect(history.hours(kind: nil, since: start + .seconds(7200)).isEmpty)
  }

  @Test("endpoints come in the order of service, kind and name")
  func order() {
    var history = TimingHistory(now: start)
    history.add(
      service: "sales", instance: "a", entries: [entry("z", [1]), entry("a", kind: .grpcMethod, [1]), entry("b", [1])],
      now: start)
    history.add(service: "catalog", instance: "a", entries: [entry("q", [1])], now: start)
    #expect(
      history.hours(kind: nil, since: nil).map { "\($0.endpoint.service) \($0.endpoint.name)" }
        == ["catalog q", "sales b", "sales z", "sales a"])
  }

  @Test("60 days are kept")
  func oldHours() {
    var history = TimingHistory(now: start)
    var calls: [UInt64] = []
    for hour in 0..<(24 * 61) {
      calls.append(1)
      history.add(service: "s", instance: "a", entries: [entry("m", calls)], now: start + .seconds(hour * 3600))
    }
    #expect(history.hours(kind: nil, since: nil)[0].hours.count == 24 * 60)
  }

  @Test("endpoints, processes and histograms are bounded, and nothing is counted twice for it")
  func bounds() {
    var history = TimingHistory(limits: .init(endpoints: 3, instances: 2, histograms: 5), now: start)
    for round in 1...2 {
      let entries = (0..<10).map { entry("m\($0)", .init(repeating: 1, count: round)) }
      history.add(service: "s", instance: "a", entries: entries, now: start)
    }
    #expect(total(history, Timings.overflowName).count == 14)
    for instance in 0..<50 {
      history.add(
        service: "s", instance: "i\(instance)", entries: [entry("m0", [1])],
        now: start + .seconds(3600 * (instance + 1)))
    }
    #expect(history.pastHistograms <= 5)
  }

  @Test("a clock that is set back goes on in the hour that it was in")
  func clockSetBack() {
    var history = TimingHistory(now: start)
    history.add(service: "s", instance: "a", entries: [entry("m", [1])], now: WallTime(seconds: start.seconds - 9000))
    #expect(history.hours(kind: nil, since: nil)[0].hours.map(\.start) == [start])
  }

  @Test("a clock that was far ahead goes back to its hour, and by a clock that nobody trusts nothing is deleted")
  func clockAhead() {
    var history = TimingHistory(now: start)
    func add(_ values: [UInt64], _ time: WallTime) {
      history.add(service: "s", instance: "a", entries: [entry("m", values)], now: time)
    }
    add([1], start)
    history.mayAge = false
    add([1, 2], start + .seconds(400 * 86_400))
    history.mayAge = true
    add([1, 2, 3], start + .seconds(3600))
    let hours = history.hours(kind: nil, since: nil)[0].hours.map(\.start)
    #expect(hours == [start, start + .seconds(3600), start + .seconds(400 * 86_400)])
    #expect(history.currentHour == 472_223 && total(history, "m").count == 3)
    #expect(history.firstHour == 472_222)
  }

  @Test("milliseconds in the report")
  func report() {
    let hours = [
      (start: start, histogram: histogram([1000, 3000])),
      (start: start + .seconds(3600), histogram: histogram([2000, 13])),
    ]
    let timing = Omsconnector.V1.EndpointTiming(.init(service: "s", kind: .busMethod, name: "m"), hours: hours)
    #expect(timing.count == 4 && timing.failures == 1 && timing.averageMs == 6013.0 / 4 / 1000 && timing.maxMs == 3)
    #expect(timing.history.map(\.count) == [2, 2] && timing.history[1].hour?.seconds == start.seconds + 3600)
    #expect(timing.p99Ms == 3 && timing.p50Ms >= 1 && timing.p50Ms <= 1.032)
  }
}
