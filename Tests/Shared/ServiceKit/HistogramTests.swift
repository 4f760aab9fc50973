import Testing

@testable import ServiceKit

@Suite("Histogram")
struct HistogramTests {
  private static let indexes: [(UInt64, Int)] = [
    (0, 0), (1, 1), (63, 63), (64, 64), (65, 64), (66, 65), (127, 95), (128, 96), (131, 96), (132, 97),
    (0x8000_0000, 864), (0xFFFF_FFFF, 895), (0x1_0000_0000, 895), (.max, 895),
  ]

  /// Log-uniform over 1 µs … 2³² µs, from a seed: xorshift64*.
  private func durations(_ count: Int, seed: UInt64) -> [UInt64] {
    var state = seed
    return (0..<count).map { _ in
      state ^= state >> 12
      state ^= state << 25
      state ^= state >> 27
      let random = state &* 0x2545_F491_4F6C_DD1D
      return (random >> 32) >> (random % 32)
    }
  }

  private func histogram(_ values: some Sequence<UInt64>) -> Histogram {
    var histogram = Histogram()
    for value in values { histogram.record(microseconds: value, failed: value % 7 == 0) }
    return histogram
  }

  @Test("buckets: exact below 64 µs, then 32 to the power of two, the last one without an end", arguments: Self.indexes)
  func index(microseconds: UInt64, index: Int) {
    #expect(HistogramBuckets.index(of: microseconds) == index)
    #expect(HistogramBuckets.upperBound(of: index) >= microseconds)
  }

  @Test("every bucket begins right behind the one before")
  func contiguous() {
    for index in 0..<(HistogramBuckets.count - 1) {
      let end = HistogramBuckets.upperBound(of: index)
      #expect(HistogramBuckets.index(of: end) == index)
      #expect(HistogramBuckets.index(of: end + 1) == index + 1)
    }
  }

  @Test("a percentile is never below the exact one and at most 3.2 % above", arguments: [1, 2, 3, 99, 12_345])
  func percentiles(seed: UInt64) {
    let values = durations(Int(seed) * 37 % 5000 + 1, seed: seed &* 0x9E37_79B9_7F4A_7C15)
    let sorted = values.sorted()
    let histogram = histogram(values)
    for percent in [0, 0.1, 1, 25, 50, 90, 95, 99, 99.9, 100] {
      let rank = max(1, Int((Double(sorted.count) * percent / 100).rounded(.up)))
      let exact = sorted[rank - 1]
      let found = histogram.percentile(percent)
      #expect(found >= exact)
      #expect(Double(found) <= Double(exact) * 1.032)
    }
    #expect(histogram.percentile(100) == sorted.last)
    #expect(histogram.count == UInt64(values.count))
    #expect(histogram.average == Double(values.reduce(0, +)) / Double(values.count))
  }

  @Test("merging is the same as recording everything in one, in any order", arguments: [5, 6, 7])
  func merge(seed: UInt64) {
    let left = durations(500, seed: seed), right = durations(50, seed: seed + 100).map { $0 % 5000 }
    var merged = histogram(left)
    merged.merge(histogram(right))
    var reverse = histogram(right)
    reverse.merge(histogram(left))
    #expect(merged == histogram(left + right))
    #expect(merged == reverse)
    merged.merge(Histogram())
    #expect(merged == reverse)
  }

  @Test(
    "subtracting an earlier state leaves what came since; its maximum is at most 3.2 % high", arguments: [8, 9, 10])
  func subtract(seed: UInt64) throws {
    let before = durations(400, seed: seed), after = durations(300, seed: seed + 1)
    let earlier = histogram(before)
    var later = earlier
    later.merge(histogram(after))
    let since = later.subtracting(earlier)
    let exact = histogram(after)
    #expect(since.count == exact.count && since.failures == exact.failures && since.sum == exact.sum)
    #expect(since.max >= exact.max && Double(since.max) <= Double(exact.max) * 1.032)
    #expect(later.subtracting(later).isEmpty)
    #expect(later.subtracting(Histogram()) == later)
    // A restart without a new instance id: never below zero.
    #expect(earlier.subtracting(later).isEmpty)
  }

  @Test("an empty histogram says 0")
  func empty() {
    #expect(Histogram().percentile(99) == 0)
    #expect(Histogram().average == 0)
    #expect(Histogram().isEmpty)
  }

  @Test("a difference holds as many calls as its buckets, whatever is subtracted")
  func contradictoryDifference() throws {
    let difference = histogram([900, 900, 900, 900]).subtracting(histogram([5, 5, 5]))
    #expect(difference.count == 4)
    #expect(try Histogram(difference.message(kind: .busMethod, endpoint: "m")) == difference)
  }

  @Test("more calls than a process can count are refused from a replica")
  func incredibleCount() {
    var message = histogram([5]).message(kind: .busMethod, endpoint: "m")
    message.count = (1 << 48) + 1
    message.bucketCounts = [(1 << 48) + 1]
    #expect(throws: HistogramError.self) { try Histogram(message) }
    message.count = 1 << 48
    message.bucketCounts = [1 << 48]
    #expect(throws: Never.self) { try Histogram(message) }
  }

  @Test("sums stay at the largest value instead of wrapping around")
  func saturates() {
    var histogram = Histogram()
    histogram.record(microseconds: .max)
    histogram.record(microseconds: .max)
    #expect(histogram.sum == .max && histogram.max == .max && histogram.percentile(50) == .max)
  }
}
