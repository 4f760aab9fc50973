/// Large pieces of memory that have been used and may be used again on the same loop. The allocator would give them back to
/// the system, and every page of the next one would have to be faulted in again: a fifth of the work for a message of 1 MiB.
///
/// On the loop's thread only.
public struct LargeBlocks: ~Copyable {
  /// From this size on, in bytes, it is worth while.
  public static let smallestSize = 64 << 10
  /// What all that are kept have together, in bytes; what is returned beyond goes back to the system.
  static let limit = 8 << 20

  private var blocks: [UnsafeMutableRawBufferPointer] = []
  private(set) var byteCount = 0

  init() {}

  deinit { for block in blocks { block.deallocate() } }

  /// A block of `size` bytes or somewhat more, the caller's until it is put back here or deallocated.
  public mutating func take(_ size: Int) -> UnsafeMutableRawBufferPointer {
    // Not one of ten times the size: it would be missed by whoever needs all of it.
    if let index = blocks.lastIndex(where: { $0.count >= size && $0.count / 2 <= size }) {
      byteCount -= blocks[index].count
      return blocks.remove(at: index)
    }
    // Rounded up by a quarter at most, so that messages of about the same size find each other's.
    let step = max(LargeBlocks.smallestSize, (1 << (Int.bitWidth - 1 - size.leadingZeroBitCount)) / 4)
    return .allocate(byteCount: (size + step - 1) / step * step, alignment: 64)
  }

  /// Takes a block back; the oldest ones make room for it.
  public mutating func put(_ block: UnsafeMutableRawBufferPointer) {
    guard block.count <= LargeBlocks.limit else { return block.deallocate() }
    blocks.append(block)
    byteCount += block.count
    while byteCount > LargeBlocks.limit {
      byteCount -= blocks[0].count
      blocks.removeFirst().deallocate()
    }
  }
}
