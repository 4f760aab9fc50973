import EventLoop
import TestSupport
import Testing

@testable import RPC

struct StreamTableTests {
  private func stream(_ loop: EventLoop, _ id: Int32) -> HTTP2Stream {
    let stream = HTTP2Stream(loop: loop, messageLimit: 1, endsWithData: true)
    stream.id = id
    return stream
  }

  @Test("finds what is in it, whatever comes and goes", arguments: [1, 2, 3] as [UInt64], [2, 16, 34] as [Int32])
  func comesAndGoes(_ seed: UInt64, _ distance: Int32) throws {
    let loop = try EventLoop()
    var random = SeededGenerator(seed: seed)
    var table = StreamTable()
    var ids: Set<Int32> = []
    for _ in 0..<5000 {
      // Ids in a row, which have slots of their own, and others that meet in the same ones.
      let id = Int32.random(in: 0..<200, using: &random) * distance + 1
      if ids.contains(id) {
        let found = table[id]?.id
        #expect(found == id, "seed \(seed)")
        let isRemoved = table.remove(id)
        #expect(isRemoved, "seed \(seed)")
        ids.remove(id)
      } else {
        let found = table[id]
        #expect(found == nil, "seed \(seed)")
        let isRemoved = table.remove(id)
        #expect(!isRemoved, "seed \(seed)")
        table.insert(stream(loop, id))
        ids.insert(id)
      }
      let count = table.count
      #expect(count == ids.count, "seed \(seed)")
    }
    let all = Set(table.all.map(\.id))
    #expect(all == ids, "seed \(seed)")
  }

  @Test("holds its streams, and lets go of them")
  func lifetimes() throws {
    let loop = try EventLoop()
    weak var first: HTTP2Stream?
    weak var second: HTTP2Stream?
    do {
      var table = StreamTable()
      table.insert(stream(loop, 1))
      table.insert(stream(loop, 3))
      first = table[1]
      second = table[3]
      #expect(first != nil && second != nil)
      table.remove(1)
      #expect(first == nil && second != nil)
    }
    #expect(second == nil)
  }
}
