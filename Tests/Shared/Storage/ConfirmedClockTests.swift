import Testing

@testable import Storage

@Suite("ConfirmedClock")
struct ConfirmedClockTests {
  private static let second: Int64 = 1_000_000_000
  private static let start = 1_700_000_000 * second
  private static let year = 365 * 86_400 * second

  /// Reads a clock every ten minutes, which is ahead by what `error` says.
  ///
  /// - Returns: for each reading, how far its time is from the true one in seconds, and whether it is confirmed.
  private func readings(_ count: Int64, _ error: (Int64) -> Int64) -> [(error: Int64, isConfirmed: Bool)] {
    var clock = ConfirmedClock()
    return (0..<count).map { index in
      let elapsed = index * 600 * Self.second
      let reading = clock.read(wall: Self.start + elapsed + error(index), elapsed: UInt64(elapsed))
      return ((reading.time - Self.start - elapsed) / Self.second, reading.isConfirmed)
    }
  }

  @Test("a clock is believed when it has gone on evenly for an hour, and is corrected a bit now and then")
  func even() {
    let readings = readings(20) { $0 * 10 * Self.second }
    #expect(readings.map(\.isConfirmed) == (0..<20).map { $0 >= 6 })
    #expect(readings.map(\.error) == (0..<20).map { $0 * 10 })
  }

  @Test("a leap that passes changes nothing, ahead or back", arguments: [year, -year, 600 * second])
  func passing(leap: Int64) {
    let readings = readings(30) { (10..<14).contains($0) ? leap : 0 }
    #expect(readings.map(\.error) == [Int64](repeating: 0, count: 30))
    #expect(readings.map(\.isConfirmed) == (0..<30).map { $0 >= 6 && !(10..<14).contains($0) })
  }

  @Test("a leap that stays is the time after an hour", arguments: [year, -year])
  func staying(leap: Int64) {
    let readings = readings(30) { $0 < 10 ? 0 : leap }
    #expect(readings.map(\.error) == (0..<30).map { $0 < 16 ? 0 : leap / Self.second })
    #expect(readings.map(\.isConfirmed) == (0..<30).map { (6..<10).contains($0) || $0 >= 16 })
  }

  @Test("a clock that is wrong at the start is not believed, and right as soon as it is set")
  func start() {
    let readings = readings(20) { $0 < 3 ? Self.year : 0 }
    #expect(readings.map(\.error) == (0..<20).map { $0 < 3 ? Self.year / Self.second : 0 })
    #expect(readings.map(\.isConfirmed) == (0..<20).map { $0 >= 9 })
  }

  @Test("a clock that leaps all the time is never believed")
  func wild() {
    #expect(!readings(100) { $0 % 2 * Self.year }.contains { $0.isConfirmed })
  }
}
