import Testing

@testable import EventLoop

struct LargeBlocksTests {
  @Test("what was put back is taken again, by who needs about as much")
  func reuse() {
    var blocks = LargeBlocks()
    let block = blocks.take(1_048_581)
    #expect(block.count >= 1_048_581 && block.count <= 1_048_581 * 5 / 4 + LargeBlocks.smallestSize)
    blocks.put(block)
    let small = blocks.take(100_000)
    #expect(small.baseAddress != block.baseAddress)
    let same = blocks.take(1_048_000)
    #expect(same.baseAddress == block.baseAddress)
    let kept = blocks.byteCount
    #expect(kept == 0)
    blocks.put(small)
    blocks.put(same)
  }

  @Test("no more is kept than the limit, the oldest goes first")
  func limit() {
    var blocks = LargeBlocks()
    let taken = (0..<20).map { _ in blocks.take(1 << 20) }
    for block in taken { blocks.put(block) }
    let kept = blocks.byteCount
    #expect(kept <= LargeBlocks.limit && kept > LargeBlocks.limit / 2)
    blocks.put(blocks.take(LargeBlocks.limit * 2))
    let after = blocks.byteCount
    #expect(after == kept)
  }
}
