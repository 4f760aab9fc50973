import Testing

@testable import Storage

@Suite("Waiting for a server")
struct OutageTests {
  private static let limit: UInt64 = 10_000_000_000

  @Test("the first attempt comes at once, the others after pauses that grow to a second, until the limit")
  func pauses() {
    var outage = Outage()
    var now: UInt64 = 1
    var pauses: [UInt64] = []
    while let pause = outage.failed(now: now, limit: Self.limit, random: 1) {
      pauses.append(pause / 1_000_000)
      now += pause
      if pauses.count > 100 { break }
    }
    #expect(pauses.prefix(7) == [0, 50, 100, 200, 400, 800, 1_000])
    #expect(now - 1 == Self.limit, "the last pause ends with the limit")
    #expect(outage.isOver(Self.limit, now: now))
  }

  @Test("pauses are shortened by up to a half, so that replicas don't come all at once")
  func jitter() {
    var outage = Outage()
    _ = outage.failed(now: 0, limit: Self.limit, random: 0)
    #expect(outage.failed(now: 0, limit: Self.limit, random: 0) == 25_000_000)
    #expect(outage.failed(now: 0, limit: Self.limit, random: 0.5) == 75_000_000)
  }

  @Test("a server that is back ends it: the next outage is counted from its own beginning")
  func ends() {
    var outage = Outage()
    _ = outage.failed(now: 0, limit: Self.limit, random: 1)
    outage.ended()
    #expect(!outage.isOver(Self.limit, now: .max))
    #expect(outage.failed(now: Self.limit * 5, limit: Self.limit, random: 1) == 0)
  }
}
