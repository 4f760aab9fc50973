/// Small pieces of memory that are used and returned again and again on one loop, cheaper than from the allocator.
///
/// On the loop's thread only.
public struct BlockPool: ~Copyable {
  /// Size of every block, in bytes.
  public static let blockSize = 1024
  /// Blocks that are kept; what is returned beyond goes back to the system.
  private static let limit = 256

  private var blocks: [UnsafeMutableRawPointer] = []

  init() {}

  deinit { for block in blocks { block.deallocate() } }

  /// Memory that is the caller's until it returns it here or deallocates it.
  public mutating func take() -> UnsafeMutableRawPointer {
    blocks.popLast() ?? .allocate(byteCount: BlockPool.blockSize, alignment: 16)
  }

  /// Takes a block back.
  public mutating func put(_ block: UnsafeMutableRawPointer) {
    if blocks.count < BlockPool.limit { blocks.append(block) } else { block.deallocate() }
  }
}
