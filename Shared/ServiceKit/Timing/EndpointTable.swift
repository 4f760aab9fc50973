import Synchronization

/// Endpoints by name, each with a histogram behind a lock of its own.
///
/// An open-addressing table of references that are set once: finding an endpoint takes no lock, because it happens at the
/// end of every call on every loop. Endpoints are never removed, and there is always room for a miss to end in.
final class EndpointTable: Sendable {
  private final class Endpoint: Sendable {
    let name: String
    let histogram = Mutex(Histogram())
    init(_ name: String) { self.name = name }
  }

  /// A retained Endpoint, or nil. Not AtomicLazyReference, whose load is a generic call into the library and alone takes
  /// longer than everything else here.
  private typealias Slot = Atomic<UnsafeRawPointer?>

  private let limit: Int
  private let overflow: Endpoint
  /// A power of two, at least twice the limit. Written by ``insert(_:)`` alone, which holds `count`.
  private nonisolated(unsafe) let slots: UnsafeMutableBufferPointer<Slot>
  /// Endpoints in the slots.
  private let count = Mutex(0)
  /// Another one in each process, so that nobody can choose names that collide.
  private let seed = UInt64.random(in: .min ... .max)

  init(limit: Int, overflowName: String) {
    precondition(limit > 0, "a table without room for an endpoint measures nothing")
    self.limit = limit
    overflow = Endpoint(overflowName)
    var capacity = 2
    while capacity < 2 * limit { capacity *= 2 }
    slots = .allocate(capacity: capacity)
    for index in slots.indices { (slots.baseAddress! + index).initialize(to: Slot(nil)) }
  }

  deinit {
    for index in slots.indices {
      if let endpoint = slots[index].load(ordering: .relaxed) { Unmanaged<Endpoint>.fromOpaque(endpoint).release() }
    }
    slots.deinitialize()
    slots.deallocate()
  }

  func record(_ name: String, microseconds: UInt64, failed: Bool) {
    let endpoint = find(name) ?? insert(name)
    endpoint.histogram.withLock { $0.record(microseconds: microseconds, failed: failed) }
  }

  /// In the order of the names; the overflow is among them when it holds something.
  func histograms() -> [(name: String, histogram: Histogram)] {
    (slots.indices.compactMap { endpoint(at: $0) } + [overflow])
      .map { endpoint in (endpoint.name, endpoint.histogram.withLock { $0 }) }
      .filter { !$0.1.isEmpty }
      .sorted { $0.0 < $1.0 }
  }

  private func find(_ name: String) -> Endpoint? {
    var index = firstIndex(of: name)
    while let endpoint = endpoint(at: index) {
      if endpoint.name == name { return endpoint }
      index = (index + 1) & (slots.count - 1)
    }
    return nil
  }

  private func insert(_ name: String) -> Endpoint {
    count.withLock { count in
      // The last place is the overflow's.
      guard count < limit - 1 else { return overflow }
      var index = firstIndex(of: name)
      while let endpoint = endpoint(at: index) {
        if endpoint.name == name { return endpoint }
        index = (index + 1) & (slots.count - 1)
      }
      count += 1
      let endpoint = Endpoint(name)
      slots[index].store(UnsafeRawPointer(Unmanaged.passRetained(endpoint).toOpaque()), ordering: .releasing)
      return endpoint
    }
  }

  private func endpoint(at index: Int) -> Endpoint? {
    slots[index].load(ordering: .acquiring).map { Unmanaged<Endpoint>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Mixes eight bytes at a time: hashing the name with the standard library's hasher would be half of what recording costs.
  private func firstIndex(of name: String) -> Int {
    let mixed = name.utf8.withContiguousStorageIfAvailable { mix(UnsafeRawBufferPointer($0)) }
    // Every native string is contiguous; one that is not is only slower to hash.
    let hash = mixed ?? Array(name.utf8).withUnsafeBytes { mix($0) }
    return Int(truncatingIfNeeded: hash) & (slots.count - 1)
  }

  private func mix(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = seed ^ UInt64(truncatingIfNeeded: bytes.count)
    var offset = 0
    while offset + 8 <= bytes.count {
      hash = Self.fold(hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    while offset < bytes.count {
      hash = Self.fold(hash ^ UInt64(bytes[offset]))
      offset += 1
    }
    return hash
  }

  /// The two halves of a 128-bit product, folded (as wyhash does).
  private static func fold(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return product.high ^ product.low
  }
}
