extension Histogram {
  /// What the histogram says in the buckets of gRPC A66.
  ///
  /// A bucket that lies across a bound counts above it, so that a call may show up to 3.2 % slower than it was, never
  /// faster.
  func counts(in bounds: BucketBounds) -> [UInt64] {
    var counts = [UInt64](repeating: 0, count: bounds.count)
    for (index, calls) in buckets.enumerated() where calls > 0 {
      counts[bounds.index(of: HistogramBuckets.upperBound(of: index))] &+= calls
    }
    return counts
  }
}

extension Exposition {
  /// One series of a metric in seconds.
  public mutating func histogram(_ name: String, _ labels: Labels, _ histogram: Histogram) {
    let bounds = BucketBounds.latencyMicroseconds
    self.histogram(
      name, labels, bounds: bounds.texts, counts: histogram.counts(in: bounds), sum: Double(histogram.sum) / 1e6)
  }
}
