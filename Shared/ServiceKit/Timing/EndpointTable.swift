import Synchronization

/// Endpoints by name, each with a histogram behind a lock of its own; the table's lock is held for the lookup alone.
final class EndpointTable: Sendable {
  private final class Endpoint: Sendable {
    let name: String
    let histogram = Mutex(Histogram())
    init(_ name: String) { self.name = name }
  }

  private let limit: Int
  private let overflowName: String
  private let endpoints = Mutex([String: Endpoint]())

  init(limit: Int, overflowName: String) {
    precondition(limit > 0, "a table without room for an endpoint measures nothing")
    self.limit = limit
    self.overflowName = overflowName
  }

  func record(_ name: String, microseconds: UInt64, failed: Bool) {
    find(name).histogram.withLock { $0.record(microseconds: microseconds, failed: failed) }
  }

  /// In the order of the names.
  func histograms() -> [(name: String, histogram: Histogram)] {
    endpoints.withLock { Array($0.values) }
      .map { endpoint in (endpoint.name, endpoint.histogram.withLock { $0 }) }
      .sorted { $0.name < $1.name }
  }

  private func find(_ name: String) -> Endpoint {
    endpoints.withLock { endpoints in
      if let endpoint = endpoints[name] { return endpoint }
      // The last place is the overflow's.
      let key = endpoints.count < limit - 1 ? name : overflowName
      if let endpoint = endpoints[key] { return endpoint }
      let endpoint = Endpoint(key)
      endpoints[key] = endpoint
      return endpoint
    }
  }
}
