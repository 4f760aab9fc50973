/// How long calls took: a log-linear histogram of microseconds that merges exactly across replicas.
///
/// A percentile is the upper end of the bucket it falls in, never above ``max``: at most 3.2 % too high, never too low.
public struct Histogram: Sendable, Equatable {
  /// Calls recorded.
  public internal(set) var count: UInt64 = 0
  /// Those of ``count`` that ended with an error.
  public internal(set) var failures: UInt64 = 0
  /// Microseconds, all calls together; stays at its largest value rather than wrapping around.
  public internal(set) var sum: UInt64 = 0
  /// The longest call, microseconds.
  public internal(set) var max: UInt64 = 0
  /// Calls by bucket, up to the highest octave that was needed: a quick endpoint takes 2 kB, a slow one at most 7.
  var buckets: [UInt64] = []

  public init() {}

  public var isEmpty: Bool { count == 0 }

  /// Counts one call.
  public mutating func record(microseconds: UInt64, failed: Bool = false) {
    let index = HistogramBuckets.index(of: microseconds)
    if index >= buckets.count { grow(toHold: index) }
    buckets[index] &+= 1
    count &+= 1
    if failed { failures &+= 1 }
    sum = sum.addingClamped(microseconds)
    if microseconds > max { max = microseconds }
  }

  /// Adds what another replica, or another hour, has recorded.
  public mutating func merge(_ other: Histogram) {
    if !other.buckets.isEmpty { grow(toHold: other.buckets.count - 1) }
    for index in other.buckets.indices { buckets[index] = buckets[index].addingClamped(other.buckets[index]) }
    count = count.addingClamped(other.count)
    failures = failures.addingClamped(other.failures)
    sum = sum.addingClamped(other.sum)
    max = Swift.max(max, other.max)
  }

  /// What was recorded since `earlier`, an older state of the same histogram.
  ///
  /// The longest call of the difference is known exactly only when it is a new record; otherwise it is the upper end of
  /// the highest bucket that grew, as for a percentile.
  public func subtracting(_ earlier: Histogram) -> Histogram {
    var difference = Histogram()
    difference.buckets = buckets
    for index in 0..<Swift.min(buckets.count, earlier.buckets.count) {
      difference.buckets[index] = buckets[index].subtractingClamped(earlier.buckets[index])
    }
    // Not the difference of the counts: when the two contradict each other, the buckets are what percentiles are made of.
    difference.count = difference.buckets.reduce(0) { $0.addingClamped($1) }
    difference.failures = failures.subtractingClamped(earlier.failures)
    difference.sum = sum.subtractingClamped(earlier.sum)
    if max > earlier.max {
      difference.max = max
    } else if let highest = difference.buckets.lastIndex(where: { $0 > 0 }) {
      difference.max = Swift.min(HistogramBuckets.upperBound(of: highest), max)
    }
    return difference
  }

  /// Microseconds within which `percent` (0…100) of the calls ended; 0 when there were none.
  public func percentile(_ percent: Double) -> UInt64 {
    precondition((0...100).contains(percent), "a percentile is between 0 and 100, not \(percent)")
    guard count > 0 else { return 0 }
    let rank = Swift.max(1, UInt64((Double(count) * percent / 100).rounded(.up)))
    var seen: UInt64 = 0
    for index in buckets.indices {
      seen = seen.addingClamped(buckets[index])
      if seen >= rank { return Swift.min(HistogramBuckets.upperBound(of: index), max) }
    }
    return max
  }

  /// Microseconds; 0 when there were no calls.
  public var average: Double { count == 0 ? 0 : Double(sum) / Double(count) }

  /// Whole octaves at a time, so that an endpoint allocates a handful of times in its life.
  mutating func grow(toHold index: Int) {
    let size = index < 64 ? 64 : 64 + ((index - 64) / 32 + 1) * 32
    guard size > buckets.count else { return }
    buckets.append(contentsOf: repeatElement(0, count: size - buckets.count))
  }

  /// Equal when they say the same, however much room each has grown.
  public static func == (left: Histogram, right: Histogram) -> Bool {
    guard
      left.count == right.count, left.failures == right.failures, left.sum == right.sum, left.max == right.max
    else { return false }
    let shared = Swift.min(left.buckets.count, right.buckets.count)
    return left.buckets[..<shared] == right.buckets[..<shared]
      && left.buckets[shared...].allSatisfy { $0 == 0 } && right.buckets[shared...].allSatisfy { $0 == 0 }
  }
}

extension UInt64 {
  fileprivate func addingClamped(_ other: UInt64) -> UInt64 {
    let (result, overflow) = addingReportingOverflow(other)
    return overflow ? .max : result
  }

  fileprivate func subtractingClamped(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
}
