import Storage
import Testing

@testable import ServiceKit

@Suite("Rows in the relay's hands")
struct RelayWindowTests {
  private static func row(_ id: Int64, _ key: String = "a", bytes: Int = 1) -> OutboxRow {
    OutboxRow(
      id: id, deliveryID: "d-\(id)",
      message: OutboxMessage(method: "m", key: key, route: .events, body: [UInt8](repeating: 0, count: bytes)))
  }

  /// What is next, up to `count` times.
  private func ids(_ window: inout RelayWindow, _ count: Int = 1, at now: UInt64 = 0) -> [Int64] {
    (0..<count).compactMap { _ in window.next(now: now)?.id }
  }

  @Test("a key's rows go one at a time, rows without a key all at once")
  func lanes() {
    var window = RelayWindow()
    window.add([Self.row(1), Self.row(2), Self.row(3, "b"), Self.row(4, ""), Self.row(5, "")])
    #expect(ids(&window, 4) == [1, 3, 4, 5])
    #expect(ids(&window, at: 0).isEmpty)
    window.settle(3)
    #expect(ids(&window, at: 0).isEmpty)
    window.settle(1)
    #expect(ids(&window, at: 0) == [2])
  }

  @Test("a row that committed late goes before those behind it, unless one is under way")
  func late() {
    var window = RelayWindow()
    window.add([Self.row(5), Self.row(7)])
    #expect(ids(&window, at: 0) == [5])
    window.add([Self.row(4), Self.row(6)])
    var order: [Int64] = []
    var current: Int64? = 5
    while let id = current {
      window.settle(id)
      current = window.next(now: 0)?.id
      order.append(contentsOf: current.map { [$0] } ?? [])
    }
    #expect(order == [4, 6, 7])
  }

  @Test("a row that failed waits, with those of its key, longer each time; the others don't")
  func pauses() {
    var window = RelayWindow()
    window.add([Self.row(1), Self.row(2), Self.row(3, "b")])
    #expect(ids(&window, at: 0) == [1])
    window.failed(1, now: 0) { UInt64($0) * 100 }
    #expect(window.nextTime == 100)
    #expect(ids(&window, at: 99) == [3])
    #expect(ids(&window, at: 99).isEmpty)
    #expect(ids(&window, at: 100) == [1])
    window.failed(1, now: 100) { UInt64($0) * 100 }
    #expect(window.nextTime == 300)
    #expect(ids(&window, at: 300) == [1])
    // The gateway's own failure is no mark against the row.
    window.failed(1, now: 300)
    #expect(ids(&window, at: 300) == [1])
    window.settle(1)
    #expect(ids(&window, at: 300) == [2])
    window.failed(2, now: 300) { UInt64($0) * 100 }
    #expect(window.nextTime == 400)
  }

  @Test("room is what neither waits nor is still in the store, and is only told when it is worth a look")
  func room() {
    var window = RelayWindow(limits: .init(rows: 8, bytes: 100, calls: 4))
    #expect(window.room == Outbox.Room(rows: 8, bytes: 100))
    window.add((1...6).map { Self.row($0, bytes: 10) })
    #expect(window.room == Outbox.Room(rows: 2, bytes: 40))
    #expect(ids(&window, at: 0) == [1])
    window.settle(1)
    #expect(window.room == Outbox.Room(rows: 2, bytes: 50), "row 1 is still in the store")
    window.add([Self.row(7, bytes: 50)])
    #expect(window.room == nil)
    window.removed([1])
    #expect(window.room == nil, "the bytes are used up")
    #expect(window.known == Set(2...7))
  }

  @Test("when another replica takes over, only what is under way stays")
  func drops() {
    var window = RelayWindow(limits: .init(rows: 8, bytes: 100, calls: 4))
    window.add([Self.row(1), Self.row(2), Self.row(3, "b"), Self.row(4, "c"), Self.row(5, "c")])
    #expect(ids(&window, 2) == [1, 3])
    window.settle(3)
    window.dropWaiting()
    #expect(window.known == [1, 3])
    #expect(ids(&window, at: 0).isEmpty)
    window.add([Self.row(2), Self.row(5, "c")])
    window.settle(1)
    #expect(Set(ids(&window, 2)) == [2, 5])
  }
}

@Suite("The way to the gateway")
struct GatewayLinkTests {
  @Test("failures of calls that were under way together are one; then one call at a time until one gets through")
  func backsOff() {
    var random = SystemRandomNumberGenerator()
    var link = GatewayLink(first: .nanoseconds(1_000), longest: .nanoseconds(2_000))
    #expect(link.limit(now: 0) == .max && link.nextTime == nil)
    let isNews = link.failed(now: 0, using: &random)
    #expect(isNews)
    let first = link.nextTime ?? 0
    #expect((800...1_200).contains(first))
    let isOneFailure = !link.failed(now: first - 1, using: &random)
    #expect(isOneFailure)
    #expect(link.nextTime == first)
    #expect(link.limit(now: first - 1) == 0)
    #expect(link.limit(now: first) == 1)
    let isOldNews = !link.failed(now: 10_000, using: &random)
    #expect(isOldNews)
    #expect((11_280...11_920).contains(link.nextTime ?? 0))
    let answers = [link.answered(), link.answered()]
    #expect(answers == [true, false])
    #expect(link.limit(now: 0) == .max)
    let isNewsAgain = link.failed(now: 20_000, using: &random)
    #expect(isNewsAgain)
    #expect((20_800...21_200).contains(link.nextTime ?? 0))
  }
}
