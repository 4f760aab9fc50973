import EventLoop

/// What one process measures: a histogram for each endpoint, since the start.
///
/// A server's methods are looked up once, when it is made; recording then takes a lock that its loop alone uses. Names are
/// bounded: what comes after the first 1 000 is counted under ``overflowName``, so that a peer who makes names up
/// cannot grow memory.
public final class Timings: Sendable {
  /// What is timed.
  public enum Kind: Int32, Sendable, Comparable {
    /// A message of the Magento service bus.
    case busMethod = 1
    /// A gRPC method.
    case grpcMethod = 2

    public static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
  }

  /// One endpoint's state at one moment.
  public struct Entry: Sendable, Equatable {
    public var kind: Kind
    public var endpoint: String
    public var histogram: Histogram

    public init(kind: Kind, endpoint: String, histogram: Histogram) {
      self.kind = kind
      self.endpoint = endpoint
      self.histogram = histogram
    }
  }

  /// Stands for every endpoint beyond the limit.
  public static let overflowName = "other"

  /// One endpoint's histograms: one for each loop, behind a lock that nobody else takes but to read it.
  final class Endpoint: Sendable {
    let kind: Kind
    let name: String
    private let parts: [Part]

    private final class Part: Sendable {
      let histogram = Lock(Histogram())
    }

    init(_ kind: Kind, _ name: String, loops: Int) {
      self.kind = kind
      self.name = name
      parts = (0..<loops).map { _ in Part() }
    }

    /// - Parameter loopIndex: spreads the work; any number is right.
    func record(failed: Bool, nanoseconds: UInt64, loopIndex: Int = 0) {
      let microseconds = nanoseconds / 1000 + (nanoseconds % 1000 >= 500 ? 1 : 0)
      parts[loopIndex % parts.count].histogram.withLock { $0.record(microseconds: microseconds, failed: failed) }
    }

    var histogram: Histogram {
      var sum = parts[0].histogram.withLock { $0 }
      for part in parts.dropFirst() { sum.merge(part.histogram.withLock { $0 }) }
      return sum
    }
  }

  private let endpoints = Lock<[Kind: [String: Endpoint]]>([:])
  private let limit: Int
  private let loops: Int

  /// - Parameters:
  ///   - limit: endpoints of each kind that are told apart.
  ///   - loops: of the group whose calls are timed.
  public init(limit: Int = 1000, loops: Int = 1) {
    precondition(limit > 0, "a table without room for an endpoint measures nothing")
    precondition(loops > 0, "there is no loop to time calls on")
    self.limit = limit
    self.loops = loops
  }

  /// Records one call or message.
  ///
  /// - Parameter endpoint: e.g. `magento.inventory.aggregate_stock_management.updated`, `omsconnector.v1.X/Method`.
  public func record(kind: Kind, endpoint: String, failed: Bool, duration: Duration) {
    self.endpoint(kind, endpoint).record(failed: failed, nanoseconds: duration.nanoseconds)
  }

  /// The endpoint of that name, made at its first use. The last place is the overflow's.
  func endpoint(_ kind: Kind, _ name: String) -> Endpoint {
    endpoints.withLock { endpoints in
      let known = endpoints[kind] ?? [:]
      if let endpoint = known[name] { return endpoint }
      let isFull = known.count - (known[Self.overflowName] == nil ? 0 : 1) >= limit - 1
      let name = isFull ? Self.overflowName : name
      if let overflow = known[name] { return overflow }
      let endpoint = Endpoint(kind, name, loops: loops)
      endpoints[kind, default: [:]][name] = endpoint
      return endpoint
    }
  }

  /// Every endpoint that has been called, in the order of kind and name. Each histogram is consistent in itself.
  public func entries() -> [Entry] {
    endpoints.withLock { endpoints in endpoints.values.flatMap(\.values) }
      .map { endpoint in
        Entry(kind: endpoint.kind, endpoint: endpoint.name, histogram: endpoint.histogram)
      }
      .filter { !$0.histogram.isEmpty }
      .sorted { ($0.kind, $0.endpoint) < ($1.kind, $1.endpoint) }
  }
}
