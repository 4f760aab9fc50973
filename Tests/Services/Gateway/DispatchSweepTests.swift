import TestSupport
import Testing

@testable import Gateway

@Suite("A destination that is gone for good") struct DispatchSweepTests {
  private static func limits() -> DispatchMachine.Limits {
    var limits = DispatchMachine.Limits()
    limits.page.rows = 16
    limits.laneRows = 4
    return limits
  }

  private static let away = DeliveryOutcome.unavailable("away", retryAfter: nil)

  /// Lets the time pass in steps of a minute, while tries end as `outcome` says.
  private func pass(hours: Int, _ world: inout World, _ outcome: (PendingMessage) -> DeliveryOutcome) {
    for _ in 0..<hours * 60 {
      world.pass(.seconds(60))
      world.settleAll(outcome)
    }
  }

  @Test("what is older than the lifetime goes without a try, in batches; what is younger stays")
  func sweep() {
    var world = World(.outgoing, limits: Self.limits())
    for n in 0..<300 { world.add("k\(n % 60)") }
    world.settleAll { _ in Self.away }
    pass(hours: 24, &world) { _ in Self.away }
    for n in 0..<50 { world.add("k\(n)") }
    world.add("")
    pass(hours: 23, &world) { _ in Self.away }
    #expect(world.rows.allSatisfy { $0.isPending })
    pass(hours: 2, &world) { _ in Self.away }
    #expect(world.rows.prefix(300).allSatisfy { !$0.isPending })
    #expect(world.rows.dropFirst(300).allSatisfy { $0.isPending })
    #expect(world.swept.allSatisfy { $0.count <= 16 } && world.swept.reduce(0) { $0 + $1.count } > 200)
    world.pass(.seconds(900))
    world.settleAll { _ in .success }
    #expect(world.delivered.sorted() == Array(301...351))
    #expect(world.machine.lanes.isEmpty && world.machine.parked == 0 && world.machine.buffered.rows == 0)
  }

  @Test("a destination that comes back is given what is older than the lifetime")
  func back() {
    var world = World(.outgoing, limits: Self.limits())
    for n in 0..<100 { world.add("k\(n)") }
    // The connector was stopped for three days, and the OMS takes a while to start.
    world.now = world.now + .seconds(72 * 3600)
    for _ in 0..<30 {
      world.settleAll { _ in Self.away }
      world.pass(.seconds(60))
    }
    world.pass(.seconds(900))
    world.settleAll { _ in .success }
    #expect(world.delivered.count == 100)
    #expect(world.swept.isEmpty)
  }

  @Test("while it is held back nothing is given up")
  func held() {
    var world = World(.outgoing, limits: Self.limits())
    for n in 0..<100 { world.add("k\(n)") }
    for _ in 0..<100 {
      world.settleAll { _ in .held("off") }
      world.pass(.seconds(3600))
    }
    #expect(world.rows.allSatisfy { $0.isPending } && world.swept.isEmpty)
  }

  @Test("a message that only its own failures keep from going does not take others with it")
  func failures() {
    var world = World(.outgoing, limits: Self.limits())
    world.add("bad")
    for _ in 0..<5 { world.add("bad") }
    world.settleAll { _ in .failed("no") }
    pass(hours: 47, &world) { _ in .failed("no") }
    #expect(world.rows.allSatisfy { $0.isPending })
    pass(hours: 2, &world) { _ in .failed("no") }
    #expect(world.rows.filter(\.isPending).count == 5 && world.swept.isEmpty)
  }

  @Test("what is being delivered or settled is left to its try, and refills bring nothing back", arguments: 0..<50)
  func races(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var policy = DeliveryPolicy.outgoing
    (policy.lifetime, policy.patience) = (.seconds(300), .seconds(60))
    var limits = Self.limits()
    limits.lanes = Int.random(in: 3...8, using: &random)
    limits.laneRows = Int.random(in: 1...3, using: &random)
    limits.page.rows = Int.random(in: 1...5, using: &random)
    limits.inFlight = 3
    var world = World(policy, limits: limits)
    var toAdd = 100
    var ended: Set<Int64> = []
    var step = 0
    while world.rows.contains(where: \.isPending) || toAdd > 0 {
      step += 1
      guard step < 50_000 else {
        Issue.record("seed \(seed): \(world.rows.filter(\.isPending).count) wait after \(step) steps")
        return
      }
      switch Int.random(in: 0..<6, using: &random) {
      case 0 where toAdd > 0:
        toAdd -= 1
        world.add(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", ""].randomElement(using: &random) ?? "")
        world.pump()
      case 1 where !world.reads.isEmpty: world.answerRead(Int.random(in: 0..<world.reads.count, using: &random))
      case 2 where !world.unsettled.isEmpty: world.settle(Int.random(in: 0..<world.unsettled.count, using: &random))
      case 3 where !world.underWay.isEmpty:
        let index = Int.random(in: 0..<world.underWay.count, using: &random)
        let id = world.underWay[index].message.id
        let outcome: DeliveryOutcome =
          switch Int.random(in: 0..<20, using: &random) {
          case 0: .success
          case 1, 2: .failed("no")
          default: Self.away
          }
        #expect(world.rows[Int(id) - 1].isPending, "seed \(seed): \(id) is tried after its end")
        if outcome == .success { #expect(ended.insert(id).inserted, "seed \(seed): \(id) was delivered twice") }
        world.end(index, outcome)
      case 4: world.pass(.milliseconds(Int.random(in: 1...20_000, using: &random)))
      default: break
      }
    }
    for id in world.swept.joined() {
      #expect(ended.insert(id).inserted, "seed \(seed): \(id) was delivered and given up")
    }
  }
}
