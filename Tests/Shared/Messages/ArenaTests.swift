import CMessages
import Glibc
import Messages
import Testing

@Suite("The arena of a message")
struct ArenaTests {
  @Test("memory is aligned, separate, and of any size, none included")
  func allocation() throws {
    let arena = try #require(cm_arena_acquire())
    defer { cm_arena_release(arena) }
    var end: [UInt: UInt] = [:]
    for size in [0, 1, 7, 8, 9, 4_000, 5_000, 100_000, 3_000_000, 1] {
      let memory = try #require(cm_arena_allocate(arena, size))
      memset(memory, 0xff, size)
      let start = UInt(bitPattern: memory)
      #expect(start % 8 == 0)
      #expect(end.allSatisfy { start >= $0.value || start + UInt(size) <= $0.key })
      end[start] = start + UInt(max(size, 1))
    }
    #expect(cm_arena_allocate(arena, .max) == nil)
    #expect(cm_arena_allocate(arena, .max / 2) == nil)
  }

  @Test("a thread keeps at most 1 MiB once a large message is gone")
  func trimming() throws {
    let arena = try #require(cm_arena_acquire())
    for _ in 0..<20 { _ = cm_arena_allocate(arena, 300_000) }
    #expect(cm_arena_allocate(arena, 50_000_000) != nil)
    #expect(cm_arena_capacity(arena) > 50_000_000)
    cm_arena_release(arena)
    let next = try #require(cm_arena_acquire())
    #expect(next == arena)
    #expect(cm_arena_capacity(next) <= 1 << 20)
    cm_arena_release(next)
  }

  @Test("a message as large as the one before needs no new memory")
  func reuse() throws {
    let message = Omsconnector.V1.StockSnapshot(stock: (0..<1_000).map { .init(sku: "SKU-\($0)", quantity: 1) })
    let bytes = message.serialized()
    func capacityAfterDecoding() throws -> Int {
      _ = try Omsconnector.V1.StockSnapshot(serialized: bytes)
      let arena = try #require(cm_arena_acquire())
      defer { cm_arena_release(arena) }
      return cm_arena_capacity(arena)
    }
    for _ in 0..<8 { _ = try capacityAfterDecoding() }
    let settled = try capacityAfterDecoding()
    #expect(try capacityAfterDecoding() == settled)
    #expect(settled > 50_000)
  }

  @Test("an arena that is in use is not given out again")
  func nesting() throws {
    let outer = try #require(cm_arena_acquire())
    let inner = try #require(cm_arena_acquire())
    #expect(inner != outer)
    cm_arena_release(inner)
    cm_arena_release(outer)
    let again = try #require(cm_arena_acquire())
    #expect(again == inner)
    cm_arena_release(again)
  }
}
