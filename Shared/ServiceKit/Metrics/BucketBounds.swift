/// The buckets of a metric: their upper ends, inclusive, in the unit that is counted in.
///
/// Sendable: made once, read only.
public final class BucketBounds: @unchecked Sendable {
  private let bounds: UnsafeMutableBufferPointer<UInt64>
  /// The bounds as they are exposed.
  public let texts: [String]

  /// Buckets with that of what is above all bounds.
  public var count: Int { bounds.count + 1 }

  /// - Parameters:
  ///   - values: ascending, in the exposed unit.
  ///   - scale: how many of the counted unit make one of the exposed.
  init(_ values: [Double], scale: Double) {
    bounds = .allocate(capacity: values.count)
    _ = bounds.initialize(from: values.map { UInt64(($0 * scale).rounded()) })
    texts = values.map(Exposition.number)
  }

  deinit { bounds.deallocate() }

  /// The first bucket whose end is not below `value`.
  func index(of value: UInt64) -> Int {
    var low = 0
    var count = bounds.count
    while count > 0 {
      let half = count / 2
      if bounds[low + half] < value {
        low += half + 1
        count -= half + 1
      } else {
        count = half
      }
    }
    return low
  }

  private static let seconds: [Double] = [
    0, 0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.013,
    0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 2, 5,
    10, 20, 50, 100,
  ]

  /// Durations, counted in nanoseconds. Source: gRPC A66, "Latency buckets".
  public static let latency = BucketBounds(seconds, scale: 1e9)
  /// The same in microseconds.
  public static let latencyMicroseconds = BucketBounds(seconds, scale: 1e6)
  /// Bytes. Source: gRPC A66, "Size buckets".
  public static let size = BucketBounds(
    [
      0, 1024, 2048, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864, 268_435_456,
      1_073_741_824, 4_294_967_296,
    ], scale: 1)
}
