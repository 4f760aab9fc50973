/// The shape of every histogram: bucket 0…63 holds that many microseconds; from there on each power of two is cut into
/// 32 buckets of equal width. A bucket's upper end is therefore at most 1/32 above anything in it.
///
/// See also: `EndpointHistogram` in `proto/omsconnector/internal/v1/timing_service.proto`.
enum HistogramBuckets {
  /// Durations from 2³² µs (71 minutes) on share the last bucket.
  static let count = 64 + (32 - 6) * 32

  static func index(of microseconds: UInt64) -> Int {
    guard microseconds >= 64 else { return Int(microseconds) }
    let exponent = 63 - microseconds.leadingZeroBitCount
    guard exponent < 32 else { return count - 1 }
    return 64 + (exponent - 6) * 32 + Int(microseconds >> UInt64(exponent - 5)) - 32
  }

  /// The largest number of microseconds that the bucket holds; unbounded for the last one.
  static func upperBound(of index: Int) -> UInt64 {
    guard index >= 64 else { return UInt64(index) }
    guard index < count - 1 else { return .max }
    let (octave, part) = (index - 64).quotientAndRemainder(dividingBy: 32)
    let shift = UInt64(octave + 1)
    return (UInt64(32 + part) << shift) + (1 << shift) - 1
  }
}
