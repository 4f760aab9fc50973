import Messages

/// A histogram from another process that contradicts itself.
public struct HistogramError: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String
}

extension Histogram {
  /// More calls than a process can count in years at a million a second; so far below the integers' end that merging never
  /// gets there.
  static let largestCount: Int64 = 1 << 48

  /// - Throws: ``HistogramError`` when the message cannot be what a process has counted.
  public init(_ message: Omsconnector.Internal.V1.EndpointHistogram) throws(HistogramError) {
    self.init()
    func refuse(_ reason: String) -> HistogramError { HistogramError(description: "\(message.endpoint): \(reason)") }
    guard message.bucketIndexes.count == message.bucketCounts.count else {
      throw refuse("\(message.bucketIndexes.count) bucket indexes for \(message.bucketCounts.count) counts")
    }
    guard message.count >= 0, message.failures >= 0, message.sumUs >= 0, message.maxUs >= 0 else {
      throw refuse("a negative number")
    }
    guard message.count <= Self.largestCount else { throw refuse("\(message.count) calls, more than there can be") }
    var total: UInt64 = 0
    for (index, calls) in zip(message.bucketIndexes, message.bucketCounts) {
      guard index < HistogramBuckets.count else {
        throw refuse("bucket \(index); the last one is \(HistogramBuckets.count - 1)")
      }
      guard calls >= 0, UInt64(calls) <= UInt64(message.count) - total else {
        throw refuse("the buckets hold another number of calls than \(message.count)")
      }
      grow(toHold: Int(index))
      buckets[Int(index)] += UInt64(calls)
      total += UInt64(calls)
    }
    guard total == UInt64(message.count) else {
      throw refuse("the buckets hold \(total) calls instead of \(message.count)")
    }
    count = total
    failures = UInt64(message.failures)
    sum = UInt64(message.sumUs)
    max = UInt64(message.maxUs)
  }

  /// The form in which histograms travel: the buckets that hold something.
  public func message(kind: Timings.Kind, endpoint: String) -> Omsconnector.Internal.V1.EndpointHistogram {
    var message = Omsconnector.Internal.V1.EndpointHistogram()
    message.kind = Omsconnector.V1.EndpointKind(rawValue: kind.rawValue)
    message.endpoint = endpoint
    message.count = Int64(clamping: count)
    message.failures = Int64(clamping: failures)
    message.sumUs = Int64(clamping: sum)
    message.maxUs = Int64(clamping: max)
    for (index, calls) in buckets.enumerated() where calls > 0 {
      message.bucketIndexes.append(UInt32(index))
      message.bucketCounts.append(Int64(clamping: calls))
    }
    return message
  }
}

extension Timings {
  /// Every endpoint in the form that travels, in the order of kind and name.
  public func snapshot() -> [Omsconnector.Internal.V1.EndpointHistogram] {
    entries().map { $0.histogram.message(kind: $0.kind, endpoint: $0.endpoint) }
  }
}
