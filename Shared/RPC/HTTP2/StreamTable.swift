/// A connection's streams by their id: open addressing over ids that rise by two, so that nearly every look-up hits at once.
///
/// Holds a reference to every stream in it. Touched on the connection's loop only.
struct StreamTable: ~Copyable {
  private var slots: UnsafeMutablePointer<Unmanaged<HTTP2Stream>?>
  private var mask: Int
  private(set) var count = 0
  /// Streams that are not in the slot that their id points to.
  private var displacedCount = 0

  private static let initialCapacity = 16

  init() {
    mask = StreamTable.initialCapacity - 1
    slots = StreamTable.allocate(StreamTable.initialCapacity)
  }

  deinit {
    for index in 0...mask { slots[index]?.release() }
    slots.deallocate()
  }

  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Unmanaged<HTTP2Stream>?> {
    let slots = UnsafeMutablePointer<Unmanaged<HTTP2Stream>?>.allocate(capacity: capacity)
    slots.initialize(repeating: nil, count: capacity)
    return slots
  }

  @inline(__always) private func home(_ id: Int32) -> Int { Int(id) >> 1 & mask }

  @inline(__always) subscript(id: Int32) -> HTTP2Stream? {
    var index = home(id)
    while let slot = slots[index] {
      if slot._withUnsafeGuaranteedRef({ $0.id }) == id { return slot.takeUnretainedValue() }
      index = (index + 1) & mask
    }
    return nil
  }

  /// - Parameter stream: with an id that is not in the table.
  mutating func insert(_ stream: HTTP2Stream) {
    // At most half full: probes stay short and always end.
    if (count + 1) * 2 > mask + 1 { grow() }
    place(Unmanaged.passRetained(stream), stream.id)
    count += 1
  }

  private mutating func place(_ reference: Unmanaged<HTTP2Stream>, _ id: Int32) {
    var index = home(id)
    if slots[index] != nil {
      displacedCount += 1
      repeat { index = (index + 1) & mask } while slots[index] != nil
    }
    slots[index] = reference
  }

  private mutating func grow() {
    let (old, oldMask) = (slots, mask)
    mask = (mask + 1) * 2 - 1
    slots = StreamTable.allocate(mask + 1)
    displacedCount = 0
    for index in 0...oldMask {
      if let reference = old[index] { place(reference, reference._withUnsafeGuaranteedRef { $0.id }) }
    }
    old.deallocate()
  }

  /// - Returns: whether it was there. The table's reference is released.
  @discardableResult
  mutating func remove(_ id: Int32) -> Bool {
    var index = home(id)
    while let slot = slots[index] {
      if slot._withUnsafeGuaranteedRef({ $0.id }) == id {
        slots[index] = nil
        if index != home(id) { displacedCount -= 1 }
        // With ids that rise, streams that have begun lately lie in one row without a gap: it must not be walked for each
        // that ends.
        if displacedCount > 0 { closeGap(behind: index) }
        count -= 1
        slot.release()
        return true
      }
      index = (index + 1) & mask
    }
    return false
  }

  /// Moves up what had to pass over the slot that is empty now.
  private mutating func closeGap(behind gap: Int) {
    var gap = gap
    var index = (gap + 1) & mask
    while let slot = slots[index] {
      let wanted = slot._withUnsafeGuaranteedRef { home($0.id) }
      if (index - wanted) & mask >= (index - gap) & mask {
        slots[gap] = slot
        slots[index] = nil
        if gap == wanted { displacedCount -= 1 }
        gap = index
      }
      index = (index + 1) & mask
    }
  }

  /// All streams, in no order; a copy, as what is done with them may take some out.
  var all: [HTTP2Stream] { (0...mask).compactMap { slots[$0]?.takeUnretainedValue() } }
}
