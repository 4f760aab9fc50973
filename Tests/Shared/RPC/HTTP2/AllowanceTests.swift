import Testing

@testable import RPC

struct AllowanceTests {
  private static let second: UInt64 = 1_000_000_000

  private func take(_ allowance: inout Allowance, _ now: UInt64, _ expected: Bool) {
    let isTaken = allowance.take(now: now)
    #expect(isTaken == expected, "at \(now) ns")
  }

  @Test("a burst, and then so much a second")
  func burst() {
    var allowance = Allowance(burst: 10, perSecond: 2)
    for _ in 0..<10 { take(&allowance, Self.second, true) }
    take(&allowance, Self.second, false)
    take(&allowance, Self.second + Self.second / 4, false)
    take(&allowance, Self.second * 2, true)
    take(&allowance, Self.second * 2, true)
    take(&allowance, Self.second * 2, false)
  }

  @Test("never more than the burst, however long nothing was taken")
  func rest() {
    var allowance = Allowance(burst: 3, perSecond: 1)
    for _ in 0..<3 { take(&allowance, 0, true) }
    for _ in 0..<3 { take(&allowance, Self.second * 1000, true) }
    take(&allowance, Self.second * 1000, false)
  }
}
