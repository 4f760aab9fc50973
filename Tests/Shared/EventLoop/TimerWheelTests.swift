import Testing

@testable import EventLoop

private final class Probe: LoopTimer {
  let name: Int
  var log: Log
  var onFire: (() -> Void)?
  init(_ name: Int, _ log: Log) {
    self.name = name
    self.log = log
  }
  override func fire() {
    log.fired.append(name)
    onFire?()
  }
}

private final class Log { var fired: [Int] = [] }

extension TimerWheel {
  fileprivate mutating func fire(upTo now: UInt64) {
    for timer in takeDue(upTo: now) { timer.fireIfDue() }
  }
}

private let millisecond: UInt64 = 1_000_000

@Suite struct TimerWheelTests {
  @Test("a timer fires once, at its deadline and not before")
  func firesAtDeadline() {
    var wheel = TimerWheel(now: 0)
    let log = Log()
    wheel.insert(Probe(1, log), at: 10 * millisecond)
    wheel.fire(upTo: 9 * millisecond)
    #expect(log.fired == [])
    wheel.fire(upTo: 10 * millisecond)
    #expect(log.fired == [1])
    wheel.fire(upTo: 60_000 * millisecond)
    #expect(log.fired == [1])
    #expect(wheel.count == 0)
  }

  @Test("a removed timer does not fire, whichever place it has in its slot", arguments: 0..<3)
  func removedTimerIsSilent(victim: Int) {
    var wheel = TimerWheel(now: 0)
    let log = Log()
    let probes = (0..<3).map { Probe($0, log) }
    for probe in probes { wheel.insert(probe, at: 5 * millisecond) }
    wheel.remove(probes[victim])
    #expect(!probes[victim].isScheduled)
    wheel.fire(upTo: 5 * millisecond)
    #expect(Set(log.fired) == Set(0..<3).subtracting([victim]))
  }

  @Test(
    "the loop wakes up at the nearest timer, wherever the wheel stands",
    arguments: [0, 1, 63, 64, 100, 4_032, 4_095, 4_096, 70_000] as [UInt64])
  func wakesUpInTime(start: UInt64) {
    for distance in [1, 2, 62, 63, 64, 65, 1_000, 4_000, 4_094, 4_095] as [UInt64] {
      var wheel = TimerWheel(now: start * millisecond)
      let (near, far) = (Probe(1, Log()), Probe(2, Log()))
      #expect(wheel.nextWakeUp == nil)
      wheel.insert(near, at: (start + distance) * millisecond)
      #expect(wheel.nextWakeUp == (start + distance) * millisecond, "\(distance)")
      wheel.insert(far, at: (start + 4_095) * millisecond)
      #expect(wheel.nextWakeUp == (start + distance) * millisecond, "\(distance), with another one behind")
      wheel.remove(near)
      #expect(wheel.nextWakeUp == (start + 4_095) * millisecond, "\(distance), taken back")
      wheel.remove(far)
      #expect(wheel.nextWakeUp == nil)
    }
  }

  @Test("timers further ahead than the wheel is long wait for their round")
  func laterRounds() {
    var wheel = TimerWheel(now: 0)
    let log = Log()
    let round = UInt64(TimerWheel.slotCount) * millisecond
    wheel.insert(Probe(1, log), at: 3 * round + 7 * millisecond)
    wheel.insert(Probe(0, log), at: 7 * millisecond)
    for tick in stride(from: UInt64(0), through: 3 * round + 6 * millisecond, by: Int(100 * millisecond)) {
      wheel.fire(upTo: tick)
    }
    #expect(log.fired == [0])
    wheel.fire(upTo: 3 * round + 7 * millisecond)
    #expect(log.fired == [0, 1])
  }

  @Test("a clock that jumps over several rounds fires everything that is due, once")
  func longJump() {
    var wheel = TimerWheel(now: 0)
    let log = Log()
    for index in 0..<1000 { wheel.insert(Probe(index, log), at: UInt64(index) * 17 * millisecond) }
    wheel.fire(upTo: 1_000_000 * millisecond)
    #expect(log.fired.count == 1000)
    #expect(Set(log.fired).count == 1000)
  }

  @Test("a timer that is taken back by another one of the same round does not fire")
  func cancelledByNeighbour() {
    var wheel = TimerWheel(now: 0)
    let log = Log()
    let (first, second) = (Probe(1, log), Probe(2, log))
    for (probe, other) in [(first, second), (second, first)] {
      probe.onFire = { wheel.remove(other) }
      wheel.insert(probe, at: millisecond)
    }
    for timer in wheel.takeDue(upTo: millisecond) { timer.fireIfDue() }
    #expect(log.fired.count == 1)
  }

  @Test("the next wake-up is never after the earliest deadline (random inserts and removes)")
  func nextWakeUp() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SplitMix(seed: seed)
    var now: UInt64 = 123_456 * millisecond
    var wheel = TimerWheel(now: now)
    let log = Log()
    var deadlines: [Int: UInt64] = [:]
    var probes: [Int: Probe] = [:]
    for step in 0..<5_000 {
      switch generator.next() % 3 {
      case 0, 1:
        let deadline = now + generator.next() % (20_000 * millisecond)
        let probe = Probe(step, log)
        wheel.insert(probe, at: deadline)
        probes[step] = probe
        deadlines[step] = deadline
      default:
        if let name = deadlines.keys.randomElement(using: &generator), let probe = probes[name] {
          wheel.remove(probe)
          deadlines[name] = nil
          probes[name] = nil
        }
      }
      if let earliest = deadlines.values.min(), let next = wheel.nextWakeUp {
        #expect(next <= earliest + millisecond, "seed \(seed)")
      }
      #expect((wheel.nextWakeUp == nil) == deadlines.isEmpty, "seed \(seed)")
      now += generator.next() % (50 * millisecond)
      log.fired = []
      wheel.fire(upTo: now)
      for name in log.fired {
        #expect(deadlines[name].map { $0 <= now } == true, "fired early or twice; seed \(seed)")
        deadlines[name] = nil
        probes[name] = nil
      }
      let late = deadlines.values.filter { $0 + millisecond < now }
      #expect(late.isEmpty, "\(late.count) timers are late; seed \(seed)")
    }
  }
}

struct SplitMix: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
