import Messages
import ServiceKit

extension Omsconnector.V1.EndpointTiming {
  /// All hours of an endpoint, each by itself and all together.
  init(_ endpoint: TimingHistory.Endpoint, hours: [(start: WallTime, histogram: Histogram)]) {
    var total = Histogram()
    for hour in hours { total.merge(hour.histogram) }
    self.init(
      service: endpoint.service, kind: .init(rawValue: endpoint.kind.rawValue), endpoint: endpoint.name,
      count: Int64(clamping: total.count), failures: Int64(clamping: total.failures),
      averageMs: total.average / 1000, p50Ms: total.milliseconds(at: 50), p95Ms: total.milliseconds(at: 95),
      p99Ms: total.milliseconds(at: 99), maxMs: Double(total.max) / 1000,
      history: hours.map { .init(hour: $0.start, $0.histogram) })
  }
}

extension Omsconnector.V1.HourlyTiming {
  init(hour: WallTime, _ histogram: Histogram) {
    self.init(
      hour: hour.timestamp, count: Int64(clamping: histogram.count), failures: Int64(clamping: histogram.failures),
      averageMs: histogram.average / 1000, p50Ms: histogram.milliseconds(at: 50), p95Ms: histogram.milliseconds(at: 95),
      p99Ms: histogram.milliseconds(at: 99), maxMs: Double(histogram.max) / 1000)
  }
}

extension Histogram {
  fileprivate func milliseconds(at percent: Double) -> Double { Double(percentile(percent)) / 1000 }
}
