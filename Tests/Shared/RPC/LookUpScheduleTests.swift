import Testing

@testable import RPC

/// When a name is looked up, on invented time (in seconds).
@Suite struct LookUpScheduleTests {
  private struct Clocked {
    var schedule = LookUpSchedule()
    var random = SeededGenerator(seed: 1)

    private static func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(seconds * 1_000_000_000) }

    mutating func wanted(_ now: Double) -> String { text(schedule.lookUpWanted(now: Self.nanoseconds(now))) }
    mutating func time(_ now: Double) -> String { text(schedule.timeIsUp(now: Self.nanoseconds(now))) }
    mutating func ended(_ now: Double, succeeded: Bool = true) -> String {
      text(schedule.lookUpEnded(succeeded: succeeded, now: Self.nanoseconds(now), random: &random))
    }

    private func text(_ action: LookUpSchedule.Action) -> String {
      switch action {
      case .look: "look"
      case .wait(let until): "wait \(Double(until) / 1_000_000_000)"
      case .none: "none"
      }
    }
  }

  @Test("a name is looked up again 30 s after the last time")
  func interval() {
    var name = Clocked()
    #expect(name.wanted(100) == "look")
    #expect(name.ended(102) == "wait 130.0")
    #expect(name.time(130) == "look")
    #expect(name.ended(131) == "wait 160.0")
  }

  @Test("a lost connection or a GOAWAY brings a look-up at once, but once a second at most")
  func wanted() {
    var name = Clocked()
    #expect(name.wanted(100) == "look")
    #expect(name.ended(100.1) == "wait 130.0")
    #expect(name.wanted(105) == "look")
    #expect(name.ended(105.1) == "wait 135.0")
    #expect(name.wanted(105.2) == "wait 106.0")
    #expect(name.wanted(105.3) == "wait 106.0")
    #expect(name.time(106) == "look")
    #expect(name.ended(106.1) == "wait 136.0")
  }

  @Test("one that is wanted while one is under way follows it, as that one's answer may be from before")
  func wantedMeanwhile() {
    var name = Clocked()
    #expect(name.wanted(100) == "look")
    #expect(name.wanted(100.2) == "none")
    #expect(name.time(100.3) == "none")
    #expect(name.ended(100.5) == "wait 101.0")
    #expect(name.time(101) == "look")
    // One that takes longer than a second is followed at once.
    #expect(name.wanted(102) == "none")
    #expect(name.ended(107) == "wait 107.0")
    #expect(name.time(107) == "look")
    #expect(name.ended(108) == "wait 137.0")
  }

  @Test("a look-up that fails is tried again after a pause that grows up to 30 s")
  func failures() {
    var name = Clocked()
    var now = 0.0
    var pauses: [Double] = []
    #expect(name.wanted(now) == "look")
    for _ in 0..<12 {
      let wait = name.ended(now, succeeded: false)
      let next = Double(wait.dropFirst("wait ".count)) ?? 0
      pauses.append(next - now)
      now = next
      #expect(name.time(now) == "look")
    }
    #expect(pauses.allSatisfy { (1...30).contains($0) })
    #expect(pauses[0] < 1.3 && pauses[2] > 2 && pauses[11] >= 24)
    #expect(name.ended(now) == "wait \(now + 30)")
  }
}
