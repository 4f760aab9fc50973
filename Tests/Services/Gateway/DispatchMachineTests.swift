import TestSupport
import Testing

@testable import Gateway

@Suite struct DispatchMachineTests {
  @Test("messages of a key are delivered in order, whatever happens in whichever order", arguments: 0..<200)
  func order(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var limits = DispatchMachine.Limits()
    limits.inFlight = Int.random(in: 1...6, using: &random)
    limits.lanes = Int.random(in: 2...5, using: &random)
    limits.laneRows = Int.random(in: 1...4, using: &random)
    limits.page.rows = Int.random(in: 1...6, using: &random)
    limits.buffered.rows = Int.random(in: 2...10, using: &random)
    var policy = DeliveryPolicy.incoming
    policy.settlesBeforeNext = Bool.random(using: &random)
    policy.maximumAttempts = 3
    var world = World(policy, limits: limits)
    var toAdd = 120
    var lastOfKey: [String: Int64] = [:]
    var ended: Set<Int64> = []
    var step = 0
    while ended.count < 120 {
      step += 1
      guard step < 20_000 else {
        Issue.record("seed \(seed): \(ended.count) of 120 have ended after \(step) steps")
        return
      }
      switch Int.random(in: 0..<6, using: &random) {
      case 0 where toAdd > 0:
        toAdd -= 1
        world.add(["a", "b", "c", "d", "e", "f", ""].randomElement(using: &random) ?? "")
        world.pump()
      case 1 where !world.reads.isEmpty: world.answerRead(Int.random(in: 0..<world.reads.count, using: &random))
      case 2 where !world.unsettled.isEmpty: world.settle(Int.random(in: 0..<world.unsettled.count, using: &random))
      case 3 where !world.underWay.isEmpty:
        let index = Int.random(in: 0..<world.underWay.count, using: &random)
        let message = world.underWay[index].message
        let outcome: DeliveryOutcome =
          switch Int.random(in: 0..<10, using: &random) {
          case 0: .failed("no")
          case 1: .unavailable("away", retryAfter: nil)
          case 2: .refused("never")
          default: .success
          }
        let isOver =
          outcome == .success || outcome == .refused("never") || (outcome.isTry && message.attempts.count >= 2)
        if isOver {
          #expect(ended.insert(message.id).inserted, "seed \(seed): \(message.id) has ended twice")
          if !message.key.isEmpty {
            #expect(lastOfKey[message.key, default: 0] < message.id, "seed \(seed): \(message.id) came late")
            lastOfKey[message.key] = message.id
          }
        }
        world.end(index, outcome)
      case 4: world.pass(.milliseconds(Int.random(in: 1...20_000, using: &random)))
      default: break
      }
      #expect(world.mostHeld <= limits.inFlight)
      #expect(world.mostLanes <= limits.lanes)
    }
  }

  @Test(
    "replayed messages are delivered too, in the order of their key, whatever fails or is given up",
    arguments: 0..<150)
  func replays(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var limits = DispatchMachine.Limits()
    if Bool.random(using: &random) {
      limits.inFlight = Int.random(in: 1...6, using: &random)
      limits.lanes = Int.random(in: 2...5, using: &random)
      limits.laneRows = Int.random(in: 1...4, using: &random)
      limits.page.rows = Int.random(in: 1...6, using: &random)
      limits.buffered.rows = Int.random(in: 2...10, using: &random)
      limits.requeued = Int.random(in: 1...4, using: &random)
    }
    var policy = DeliveryPolicy.incoming
    policy.settlesBeforeNext = Bool.random(using: &random)
    var world = World(policy, limits: limits)
    let keys = ["a", "b", ""]
    for _ in 0..<40 { world.add(keys.randomElement(using: &random) ?? "") }
    var toReplay = 60
    var underDiscard: [Int64] = []
    for step in 0..<4_000 {
      let fails = step < 3_000
      switch Int.random(in: 0..<8, using: &random) {
      case 0 where fails && world.rows.count < 80: world.add(keys.randomElement(using: &random) ?? "")
      case 1 where !world.reads.isEmpty: world.answerRead(Int.random(in: 0..<world.reads.count, using: &random))
      case 2 where !world.unsettled.isEmpty: world.settle(Int.random(in: 0..<world.unsettled.count, using: &random))
      case 3 where !world.underWay.isEmpty:
        let outcomes: [DeliveryOutcome] = [
          .failed("no"), .unavailable("away", retryAfter: nil), .refused("never"), .success,
        ]
        world.end(
          Int.random(in: 0..<world.underWay.count, using: &random),
          fails ? outcomes.randomElement(using: &random) ?? .success : .success)
      case 4: world.pass(.milliseconds(Int.random(in: 1...20_000, using: &random)))
      case 5 where toReplay > 0:
        guard let row = world.rows.filter({ !$0.isPending }).randomElement(using: &random)?.message,
          world.machine.canRequeue
        else { continue }
        toReplay -= 1
        world.replay(row.id)
      case 6 where fails:
        guard let row = world.rows.filter(\.isPending).randomElement(using: &random)?.message,
          !underDiscard.contains(row.id), world.withhold(row.id)
        else { continue }
        underDiscard.append(row.id)
      case 7 where !underDiscard.isEmpty: world.giveUp(underDiscard.removeFirst())
      default: break
      }
      world.pump()
    }
    #expect(world.misplaced.isEmpty, "seed \(seed): delivered before an older one of the key: \(world.misplaced)")
    #expect(world.deliveredOutsideQueue.isEmpty, "seed \(seed): \(world.deliveredOutsideQueue)")
    for id in underDiscard { world.giveUp(id) }
    for _ in 0..<200 {
      world.settleAll { _ in .success }
      world.pass(.seconds(31))
    }
    let stuck = world.rows.filter(\.isPending).map(\.message.id)
    #expect(stuck.isEmpty, "seed \(seed): still wait: \(stuck)")
  }

  @Test("what is replayed while its destination is away is delivered in its order when that is back")
  func replayWhileAway() {
    for replayed in [[1, 2, 3, 4], [4, 3, 2, 1], [2, 4, 1, 3]] as [[Int64]] {
      var world = World()
      for _ in 0..<4 { world.add("k") }
      world.settleAll { _ in .refused("never") }
      for id in replayed {
        world.replay(id)
        world.pump()
      }
      world.settleAll { _ in .unavailable("away", retryAfter: nil) }
      world.add("k")
      for _ in 0..<10 {
        world.pass(.seconds(31))
        world.settleAll { _ in .success }
      }
      // Whichever was tried first stays the first.
      #expect(world.delivered.filter { $0 != replayed[0] } == [1, 2, 3, 4, 5].filter { $0 != replayed[0] })
      #expect(world.rows.allSatisfy { !$0.isPending })
    }
  }

  @Test(
    "a clock that is set back, by however little, makes no wait longer",
    arguments: [1, 60, 600, 1800, 3540, 86_400])
  func clockSetBack(seconds: Int) {
    var world = World()
    for n in 0..<20 { world.add("k\(n)") }
    world.settleAll { _ in .unavailable("away", retryAfter: nil) }
    #expect(world.machine.breaker.openUntil != nil)
    world.now = WallTime(seconds: 1_000_000 - Int64(seconds))
    for _ in 0..<40 {
      world.pass(.seconds(1))
      world.settleAll { _ in .success }
    }
    #expect(world.delivered.count == 20)
  }

  @Test("a key that waits for its next try holds up no other, and nothing of it overtakes")
  func blockedKey() {
    var world = World()
    for key in ["bad", "good", "bad", "good"] { world.add(key) }
    world.settleAll { $0.id == 1 ? .failed("no") : .success }
    #expect(world.delivered == [2, 4])
    world.pass(.seconds(1))
    world.settleAll { _ in .success }
    #expect(world.delivered == [2, 4, 1, 3])
  }

  @Test("a poisonous message is given up after its tries, and its key goes on")
  func poison() {
    var world = World()
    for _ in 0..<3 { world.add("k") }
    var tries = 0
    for _ in 0..<100 {
      world.settleAll { message in
        if message.id == 2 { tries += 1 }
        return message.id == 2 ? .failed("no") : .success
      }
      world.pass(.seconds(30))
    }
    #expect(world.delivered == [1, 3])
    #expect(tries == DeliveryPolicy.incoming.maximumAttempts)
    #expect(world.rows.allSatisfy { !$0.isPending })
  }

  @Test("while a destination hangs no message is given up; when it is back all go on in their order")
  func hanging() {
    var world = World()
    for n in 0..<60 { world.add("k\(n % 20)") }
    world.settleAll { $0.id <= 2 ? .success : .unanswered("no answer") }
    for _ in 0..<300 {
      world.pass(.seconds(31))
      world.settleAll { _ in .unanswered("no answer") }
    }
    #expect(world.delivered == [1, 2] && world.rows.filter(\.isPending).count == 58)
    for _ in 0..<3 {
      world.pass(.seconds(31))
      world.settleAll { _ in .success }
    }
    #expect(world.rows.allSatisfy { !$0.isPending })
    for key in 0..<20 {
      let order = world.delivered.filter { ($0 - 1) % 20 == Int64(key) }
      #expect(order == order.sorted() && order.count == 3)
    }
  }

  @Test("a message that is never answered is given up after its tries while others are answered, and its key goes on")
  func neverAnswered() {
    var world = World()
    for key in ["bad", "bad", "good"] { world.add(key) }
    var tries = 0
    for _ in 0..<40 {
      world.add("good")
      world.settleAll { message in
        if message.id == 1 { tries += 1 }
        return message.id == 1 ? .unanswered("no answer") : .success
      }
      world.pass(.seconds(31))
    }
    #expect(!world.rows[0].isPending && !world.delivered.contains(1) && world.delivered.contains(2))
    // The first may not have been told apart from a destination that hangs.
    let maximum = DeliveryPolicy.incoming.maximumAttempts ?? 0
    #expect(maximum...maximum + 1 ~= tries)
  }

  @Test("a message that is never answered, with no other that is, ends all the same")
  func silentAlone() {
    var world = World()
    world.add("k")
    var time = Duration.zero
    while world.rows[0].isPending && time < .seconds(86_400) {
      world.settleAll { _ in .unanswered("no answer") }
      world.pass(.seconds(31))
      time += .seconds(31)
    }
    #expect(!world.rows[0].isPending)
    #expect(time >= DispatchMachine.longestSilence && time < DispatchMachine.longestSilence + .seconds(3600))
  }

  @Test("a destination that is away is asked by one message at a time, and all go on once it is back")
  func breaker() {
    var world = World()
    for n in 0..<200 { world.add("k\(n)") }
    world.settleAll { _ in .unavailable("away", retryAfter: nil) }
    #expect(world.machine.breaker.openUntil != nil && world.machine.breaker.lastError == "away")
    var asked = 0
    for _ in 0..<10 {
      world.pass(.seconds(31))
      world.pump()
      while !world.reads.isEmpty { world.answerRead(0) }
      asked += world.underWay.count
      world.settleAll { _ in .unavailable("away", retryAfter: nil) }
    }
    #expect(asked == 10)
    world.pass(.seconds(31))
    world.settleAll { _ in .success }
    #expect(world.delivered.count == 200 && world.machine.breaker.openUntil == nil)
    #expect(world.rows.allSatisfy { $0.message.attempts.count <= 1 }, "being away is no try of the message")
  }

  @Test("a message is given up when its lifetime is over, however often the destination was away")
  func lifetime() {
    var world = World(.outgoing)
    world.add("k")
    var hours = 0
    while world.rows[0].isPending && hours < 100 {
      world.settleAll { _ in .unavailable("away", retryAfter: nil) }
      world.pass(.seconds(3600))
      hours += 1
    }
    #expect(hours == 49)
  }

  @Test("a clock that was set back does not keep a message waiting")
  func clock() {
    var world = World()
    world.add("k")
    world.settleAll { _ in .failed("no") }
    world.now = WallTime(seconds: 1_000_000 - 86_400)
    world.settleAll { _ in .success }
    #expect(world.delivered == [1])
  }

  @Test("a replayed message is delivered once, also when the cursor has not come to it yet")
  func requeue() {
    var world = World()
    for _ in 0..<3 { world.add("k") }
    world.settleAll { $0.id == 1 ? .refused("never") : .success }
    world.rows[0].isPending = true
    let isRequeue1 = world.machine.requeue(1, key: "k")
    #expect(isRequeue1)
    let isRequeue2 = world.machine.requeue(1, key: "k")
    #expect(isRequeue2)
    world.settleAll { _ in .success }
    #expect(world.delivered == [2, 3, 1])

    var fresh = World()
    for _ in 0..<3 { fresh.add("k") }
    let isRequeue3 = fresh.machine.requeue(2, key: "k")
    #expect(isRequeue3)
    fresh.settleAll { _ in .success }
    #expect(fresh.delivered == [1, 2, 3])
  }

  @Test("what is being given up is not delivered, and what is being delivered can't be given up")
  func withhold() {
    var world = World()
    for _ in 0..<3 { world.add("k") }
    world.pump()
    while !world.reads.isEmpty { world.answerRead(0) }
    #expect(world.underWay.map(\.message.id) == [1])
    let isWithhold4 = world.machine.withhold(1, key: "k")
    #expect(!isWithhold4)
    let isWithhold5 = world.machine.withhold(2, key: "k")
    #expect(isWithhold5)
    world.settleAll { _ in .success }
    world.rows[1].isPending = false
    world.machine.released(2, key: "k")
    world.settleAll { _ in .success }
    #expect(world.delivered == [1, 3])
  }

  @Test("a stuck message that is given up lets its key go on at once")
  func givenUpWhileParked() {
    var world = World()
    for _ in 0..<2 { world.add("k") }
    world.settleAll { _ in .failed("no") }
    let isWithhold6 = world.machine.withhold(1, key: "k")
    #expect(isWithhold6)
    world.rows[0].isPending = false
    world.machine.released(1, key: "k")
    world.settleAll { _ in .success }
    #expect(world.delivered == [2])
  }

  @Test("the lifetime counts from the first try: time in which nothing could be tried does not shorten it")
  func lifetimeOfWhatWaited() {
    var world = World(.outgoing)
    world.add("k")
    world.pass(.seconds(72 * 3600))
    world.settleAll { _ in .failed("no") }
    #expect(world.rows[0].isPending)
    var hours = 0
    while world.rows[0].isPending && hours < 100 {
      world.pass(.seconds(3600))
      world.settleAll { _ in .failed("no") }
      hours += 1
    }
    #expect(hours == 48)
  }

  @Test("what is held back is looked at once a second, is no try and opens nothing for longer")
  func held() {
    var world = World(.outgoing)
    for n in 0..<100 { world.add("k\(n)") }
    var looks = 0
    for _ in 0..<200 {
      world.settleAll { _ in
        looks += 1
        return .held("off")
      }
      world.pass(.seconds(1))
    }
    #expect(looks <= 200 + world.machine.limits.inFlight)
    #expect(world.rows.allSatisfy { $0.isPending && $0.message.attempts.count == 0 })
    world.settleAll { _ in .success }
    #expect(world.delivered.count == 100)
  }
}
