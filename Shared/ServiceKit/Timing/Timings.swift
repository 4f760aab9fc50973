/// What one process measures: a histogram for each endpoint, since the start.
///
/// Recording takes a lookup and a lock of the endpoint alone. Names are bounded: what comes after the first 1 000 is counted
/// under ``overflowName``, so that a peer who makes names up cannot grow memory.
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

  private let busMethods: EndpointTable
  private let grpcMethods: EndpointTable

  /// - Parameter limit: endpoints of each kind that are told apart.
  public init(limit: Int = 1000) {
    busMethods = EndpointTable(limit: limit, overflowName: Self.overflowName)
    grpcMethods = EndpointTable(limit: limit, overflowName: Self.overflowName)
  }

  /// Records one call or message.
  ///
  /// - Parameter endpoint: e.g. `magento.inventory.aggregate_stock_management.updated`, `omsconnector.v1.X/Method`.
  public func record(kind: Kind, endpoint: String, failed: Bool, duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let nanoseconds = UInt64(clamping: seconds).multipliedClamped(
      by: 1_000_000_000, adding: attoseconds / 1_000_000_000)
    record(kind, kind == .grpcMethod ? "/" + endpoint : endpoint, failed, nanoseconds)
  }

  /// - Parameter endpoint: for gRPC methods with the path's slash, so that the end of a call needs no new string.
  func record(_ kind: Kind, _ endpoint: String, _ failed: Bool, _ nanoseconds: UInt64) {
    let microseconds = nanoseconds / 1000 + (nanoseconds % 1000 >= 500 ? 1 : 0)
    (kind == .busMethod ? busMethods : grpcMethods).record(endpoint, microseconds: microseconds, failed: failed)
  }

  /// Every endpoint, in the order of kind and name. Each histogram is consistent in itself.
  public func entries() -> [Entry] {
    busMethods.histograms().map { Entry(kind: .busMethod, endpoint: $0, histogram: $1) }
      + grpcMethods.histograms().map {
        Entry(kind: .grpcMethod, endpoint: String($0.drop { $0 == "/" }), histogram: $1)
      }
  }
}

extension UInt64 {
  fileprivate func multipliedClamped(by factor: UInt64, adding rest: Int64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    let (sum, carried) = product.addingReportingOverflow(UInt64(clamping: rest))
    return overflow || carried ? .max : sum
  }
}
