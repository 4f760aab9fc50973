import Testing

@testable import RPC

@Suite struct BackOffTests {
  private static func pauses(_ backOff: BackOff, _ count: Int, seed: UInt64 = 1) -> [Double] {
    var (backOff, random) = (backOff, SeededGenerator(seed: seed))
    return (0..<count).map { _ in Double(backOff.next(using: &random)) / 1_000_000 }
  }

  @Test("pauses grow by the multiplier up to the longest one")
  func growth() {
    let backOff = BackOff(first: .milliseconds(50), longest: .seconds(2), jitter: 0)
    let pauses = Self.pauses(backOff, 12).map { $0.rounded() }
    #expect(pauses == [50, 80, 128, 205, 328, 524, 839, 1342, 2000, 2000, 2000, 2000])
  }

  @Test("a reset begins anew")
  func reset() {
    var backOff = BackOff(first: .milliseconds(50), longest: .seconds(2), jitter: 0)
    var random = SeededGenerator(seed: 1)
    _ = backOff.next(using: &random)
    #expect(backOff.next(using: &random) == 80_000_000)
    backOff.reset()
    #expect(backOff.next(using: &random) == 50_000_000)
  }

  @Test("each pause is off by a fifth at most, either way")
  func jitter() {
    let backOff = BackOff(first: .milliseconds(100), longest: .milliseconds(100))
    let pauses = Self.pauses(backOff, 1000)
    #expect(pauses.allSatisfy { (80...120).contains($0) })
    #expect(pauses.contains { $0 < 83 } && pauses.contains { $0 > 117 })
    #expect(Self.pauses(backOff, 10) == Self.pauses(backOff, 10))
    #expect(Self.pauses(backOff, 10) != Self.pauses(backOff, 10, seed: 2))
  }

  @Test(
    "odd numbers give no odd pauses",
    arguments: [
      (BackOff(first: .zero, longest: .seconds(1), jitter: 0), 0.0),
      (BackOff(first: .seconds(3), longest: .seconds(1), jitter: 0), 1000),
      (BackOff(first: .milliseconds(5), longest: .seconds(1), multiplier: -3, jitter: 0), 5),
      (BackOff(first: .seconds(-1), longest: .seconds(1), jitter: 0), 0),
    ] as [(BackOff, Double)])
  func oddNumbers(backOff: BackOff, milliseconds: Double) {
    #expect(Self.pauses(backOff, 100).allSatisfy { $0 == milliseconds })
  }
}
