import Testing

@testable import Gateway

@Suite("The tries of a message")
struct AttemptLogTests {
  @Test("of many, the first and the last ones are kept, and all are counted")
  func kept() {
    var log = AttemptLog()
    for n in 0..<100 { log.add(.init(startedAt: WallTime(seconds: 0), duration: .zero, error: "\(n)")) }
    #expect(log.count == 100 && log.attempts.count == AttemptLog.kept)
    #expect(log.attempts.map(\.error) == ["0"] + (81..<100).map { "\($0)" })
  }

  @Test("of a long error the beginning is kept")
  func longError() {
    var log = AttemptLog()
    log.add(.init(startedAt: WallTime(seconds: 0), duration: .zero, error: String(repeating: "ä", count: 10_000)))
    #expect(log.attempts[0].error == String(repeating: "ä", count: AttemptLog.errorCharacters))
  }
}
