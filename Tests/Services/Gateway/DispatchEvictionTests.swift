import Testing

@testable import Gateway

@Suite("More keys that wait than there are lanes") struct DispatchEvictionTests {
  private static func limits(lanes: Int) -> DispatchMachine.Limits {
    var limits = DispatchMachine.Limits()
    limits.lanes = lanes
    limits.page.rows = 7
    return limits
  }

  @Test("new keys are tried, however many wait for their next try", arguments: [DeliveryPolicy.incoming, .outgoing])
  func newKeys(policy: DeliveryPolicy) {
    var policy = policy
    policy.maximumAttempts = nil
    var world = World(policy, limits: Self.limits(lanes: 10))
    for n in 0..<200 { world.add("bad \(n)") }
    for n in 0..<20 { world.add("good \(n)") }
    world.settleAll { $0.key.hasPrefix("bad") ? .failed("no") : .success }
    #expect(world.delivered.count == 20)
    #expect(world.mostLanes <= 10)
    #expect(world.rows.prefix(200).allSatisfy { $0.message.attempts.count == 1 })
  }

  @Test("each is tried when its time has come, not much later, and all go once they can")
  func resumed() {
    var world = World(.outgoing, limits: Self.limits(lanes: 10))
    for n in 0..<200 { world.add("k\(n)") }
    world.settleAll { _ in .failed("no") }
    for _ in 0..<60 {
      let seconds = world.now
      world.pass(.seconds(60))
      world.settleAll { message in
        if let due = message.nextAttemptAt { #expect(seconds <= due + .seconds(2)) }
        return .failed("no")
      }
    }
    let tries = world.rows.map(\.message.attempts.count)
    #expect((tries.min() ?? 0) > 6 && (tries.max() ?? 0) - (tries.min() ?? 0) <= 1)
    for _ in 0..<20 {
      world.pass(.seconds(60))
      world.settleAll { _ in .success }
    }
    #expect(world.delivered.count == 200 && world.rows.allSatisfy { !$0.isPending })
    #expect(world.machine.lanes.isEmpty && world.machine.parked == 0 && world.machine.stored == 0)
    #expect(world.machine.evicted.oldest == nil && world.machine.nextDue(now: world.now) == nil)
  }

  @Test("what comes later of a key that was evicted stays behind it")
  func order() {
    var world = World(.outgoing, limits: Self.limits(lanes: 4))
    for n in 0..<20 { world.add("k\(n)") }
    world.settleAll { _ in .failed("no") }
    for n in 0..<20 { world.add("k\(n)") }
    world.add("new")
    world.settleAll { $0.key == "new" ? .success : .failed("no") }
    #expect(world.delivered == [41])
    #expect(world.rows[20..<40].allSatisfy { $0.message.attempts.count == 0 })
    for _ in 0..<20 {
      world.pass(.seconds(60))
      world.settleAll { _ in .success }
    }
    #expect(world.delivered.count == 41)
    for n in 0..<20 {
      let own = world.delivered.filter { ($0 - 1) % 20 == Int64(n) && $0 != 41 }
      #expect(own == [Int64(n) + 1, Int64(n) + 21])
    }
  }

  @Test("an evicted message that is given up by an operator lets the rest of its key go on")
  func discarded() {
    var world = World(.outgoing, limits: Self.limits(lanes: 4))
    for n in 0..<20 { world.add("k\(n)") }
    for n in 0..<20 { world.add("k\(n)") }
    world.settleAll { _ in .failed("no") }
    for n in 0..<20 {
      let isWithheld = world.withhold(Int64(n) + 1)
      #expect(isWithheld)
      world.giveUp(Int64(n) + 1)
      world.settleAll { _ in .success }
    }
    #expect(world.delivered.sorted() == Array(21...40))
  }

  @Test("a replayed message of an evicted key goes at once, and what waits behind it is not lost")
  func replayed() {
    var world = World(.outgoing, limits: Self.limits(lanes: 4))
    world.add("k0")
    world.settleAll { _ in .refused("never") }
    for n in 0..<20 { world.add("k\(n)") }
    for n in 0..<20 { world.add("k\(n)") }
    world.settleAll { _ in .failed("no") }
    world.replay(1)
    world.settleAll { $0.id == 1 ? .success : .failed("no") }
    #expect(world.delivered == [1])
    for _ in 0..<20 {
      world.pass(.seconds(60))
      world.settleAll { _ in .success }
    }
    #expect(world.delivered.count == 41 && world.misplaced.isEmpty)
  }

  @Test("while the destination is away nothing is evicted: all go on at once when it is back")
  func away() {
    var world = World(.outgoing, limits: Self.limits(lanes: 10))
    for n in 0..<40 { world.add("k\(n)") }
    for _ in 0..<100 {
      world.settleAll { _ in .unavailable("away", retryAfter: nil) }
      world.pass(.seconds(31))
    }
    world.settleAll { _ in .success }
    #expect(world.delivered.count == 40)
    #expect(world.mostLanes <= 10)
  }
}
