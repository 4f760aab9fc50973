import Testing

@testable import Gateway

@Suite struct RegistrationMachineTests {
  private let start = WallTime(seconds: 1_700_000_000)
  private let content = RegistrationContent(topics: ["a"])

  private func machine(_ kept: KeptRegistration = .init()) -> RegistrationMachine {
    var machine = RegistrationMachine(isConfigured: true, kept: kept, now: start)
    machine.use(content)
    return machine
  }

  private func registered() -> RegistrationMachine {
    var machine = machine()
    machine.registrationSucceeded(content, now: start, random: 0.5)
    return machine
  }

  @Test("registers at once at the start, as soon as it is known what to subscribe to")
  func first() {
    var machine = RegistrationMachine(isConfigured: true, now: start)
    #expect(machine.state == .pending && machine.nextStep(now: start) == .rest)
    machine.use(content)
    #expect(machine.nextStep(now: start) == .register(.plain))
  }

  @Test("without an OMS there is nothing to do, whatever is heard")
  func unconfigured() {
    var machine = RegistrationMachine(isConfigured: false, now: start)
    machine.use(content)
    machine.registrationSucceeded(content, now: start, random: 0)
    machine.registrationFailed("x", isLost: true, now: start, random: 0)
    machine.choose(.unregistered, now: start)
    machine.goalReached(now: start)
    machine.checked(.missing, now: start, random: 0)
    machine.suspectLost(now: start)
    #expect(machine.state == .unconfigured && machine.nextStep(now: start) == .rest)
  }

  @Test("failures are tried again after 1 s, 2 s, 4 s … 60 s, spread over the upper half, without end")
  func backOff() {
    var machine = machine()
    var now = start
    let longest: [Double] = [1, 2, 4, 8, 16, 32, 60, 60]
    for (index, seconds) in longest.enumerated() {
      machine.registrationFailed("no route", isLost: false, now: now, random: index.isMultiple(of: 2) ? 1 : 0)
      let delay = seconds * (index.isMultiple(of: 2) ? 1 : 0.5)
      #expect(machine.nextStep(now: now) == .wait(until: now + .seconds(delay)))
      now = now + .seconds(delay)
      #expect(machine.nextStep(now: now) == .register(.plain))
    }
    #expect(machine.failedAttempts == longest.count && machine.lastError == "no route")
    for _ in 0..<10_000 { machine.registrationFailed("no route", isLost: false, now: now, random: 1) }
    #expect(machine.nextAttemptAt == now + .seconds(60))
    machine.hurry(now: now)
    #expect(machine.nextStep(now: now) == .register(.plain))
  }

  @Test("a success ends the attempts, forgets the failures and leads to a look in 5 minutes, a tenth more or less")
  func success() {
    var machine = machine()
    machine.registrationFailed("x", isLost: false, now: start, random: 0.5)
    let now = start + .seconds(3)
    machine.registrationSucceeded(content, now: now, random: 0)
    #expect(machine.state == .registered && machine.registeredAt == now && machine.stateSince == now)
    #expect(machine.failedAttempts == 0 && machine.lastError == "" && machine.nextAttemptAt == nil)
    #expect(machine.nextStep(now: now) == .wait(until: now + .seconds(270)))
    machine.registrationSucceeded(content, now: now, random: 1)
    #expect(machine.nextStep(now: now) == .wait(until: now + .seconds(330)))
    #expect(machine.nextStep(now: now + .seconds(330)) == .check)
  }

  @Test("a registration that holds is not given up because renewing it failed; one that is lost is sought again")
  func renewal() {
    var machine = registered()
    machine.registrationFailed("busy", isLost: false, now: start, random: 0.5)
    #expect(machine.state == .registered && machine.lastError == "busy")
    #expect(machine.nextStep(now: start) == .wait(until: start + .seconds(300)))
    machine.registrationFailed("busy", isLost: true, now: start, random: 0)
    #expect(machine.state == .pending && machine.nextStep(now: start + .seconds(60)) == .register(.plain))
  }

  @Test("other topics or another secret are told to the OMS, insistently, while the registration of before holds")
  func changes() {
    var machine = registered()
    for changed in [RegistrationContent(topics: ["a", "b"]), RegistrationContent(topics: ["a"], secretGeneration: 1)] {
      machine.use(changed)
      #expect(machine.state == .registered && machine.nextStep(now: start) == .register(.plain))
      machine.registrationFailed("busy", isLost: false, now: start, random: 1)
      #expect(machine.state == .registered && machine.nextStep(now: start) == .wait(until: start + .seconds(1)))
      machine.registrationSucceeded(changed, now: start, random: 0.5)
      #expect(machine.nextStep(now: start) == .wait(until: start + .seconds(300)))
    }
  }

  @Test("what changes while the OMS is being told is told next")
  func changesMeanwhile() {
    var machine = machine()
    machine.use(RegistrationContent(topics: ["b"]))
    machine.registrationSucceeded(content, now: start, random: 0)
    #expect(machine.nextStep(now: start) == .register(.plain))
  }

  // MARK: What somebody wants

  @Test(
    "what somebody wants is tried until the OMS has agreed, and then stays",
    arguments: [
      (RegistrationMachine.Goal.unregistered, RegistrationMachine.Step.unregister), (.disabled, .disable),
    ])
  func goals(goal: RegistrationMachine.Goal, step: RegistrationMachine.Step) {
    var machine = registered()
    machine.choose(goal, now: start + .seconds(1))
    #expect(machine.state == .pending && machine.nextStep(now: start + .seconds(1)) == step)
    machine.goalFailed("busy", now: start + .seconds(1), random: 1)
    #expect(machine.state == .pending && machine.lastError == "busy")
    #expect(machine.nextStep(now: start + .seconds(1)) == .wait(until: start + .seconds(2)))
    machine.goalReached(now: start + .seconds(2))
    #expect(machine.state == goal.state && machine.stateSince == start + .seconds(2) && machine.lastError == "")
    machine.use(RegistrationContent(topics: ["b"]))
    machine.checked(.missing, now: start, random: 0)
    machine.suspectLost(now: start + .seconds(100))
    #expect(machine.nextStep(now: start + .seconds(1_000_000)) == .rest)
  }

  @Test("what is switched off is switched on before it is registered again; what was taken back is only registered")
  func again() {
    for (goal, manner) in [(RegistrationMachine.Goal.disabled, RegistrationManner.enabling), (.unregistered, .plain)] {
      var machine = registered()
      machine.choose(goal, now: start)
      machine.goalReached(now: start)
      machine.choose(.registered, now: start)
      #expect(machine.state == .pending && machine.nextStep(now: start) == .register(manner))
      machine.registrationFailed("busy", isLost: false, now: start, random: 1)
      #expect(machine.nextStep(now: start + .seconds(1)) == .register(manner))
      machine.registrationSucceeded(content, now: start, random: 0)
      #expect(machine.neededManner == nil && machine.state == .registered)
    }
  }

  @Test("after a restart it is as it was: what the OMS was told is not told again, what it was not told yet is")
  func restart() {
    for goal in [RegistrationMachine.Goal.unregistered, .disabled] {
      let before = WallTime(seconds: start.seconds - 1000)
      let settled = machine(.init(goal: goal, isSettled: true, changedAt: before))
      #expect(settled.state == goal.state && settled.stateSince == before && settled.nextStep(now: start) == .rest)
      let open = machine(.init(goal: goal, isSettled: false, changedAt: before))
      #expect(open.state == .pending && open.nextStep(now: start) == (goal == .disabled ? .disable : .unregister))
    }
    #expect(machine(.init(goal: .registered, isSettled: true)).nextStep(now: start) == .register(.plain))
  }

  // MARK: Whether it is still there

  @Test("a registration that is there is looked at again after the interval")
  func present() {
    var machine = registered()
    for found in [RegistrationCheck.present, .switchedOff, .failed("no route")] {
      machine.checked(found, now: start + .seconds(300), random: 0.5)
      #expect(machine.state == .registered && machine.checkedAt == start + .seconds(300))
      #expect(machine.checkResult == found.description)
      #expect(machine.nextStep(now: start + .seconds(300)) == .wait(until: start + .seconds(600)))
    }
  }

  @Test("one that the OMS has forgotten is registered at once")
  func missing() {
    var machine = registered()
    machine.checked(.missing, now: start + .seconds(300), random: 0.5)
    #expect(machine.state == .pending && machine.lastError == "the OMS does not have it any more")
    #expect(machine.nextStep(now: start + .seconds(300)) == .register(.plain))
  }

  @Test(
    "another one or several are replaced once; what the OMS still shows then is its way",
    arguments: [
      (RegistrationCheck.differs("it calls http://x"), RegistrationManner.plain), (.copies(2), .replacing),
    ])
  func differs(found: RegistrationCheck, manner: RegistrationManner) {
    var machine = registered()
    machine.checked(found, now: start, random: 0.5)
    #expect(machine.state == .registered && machine.nextStep(now: start) == .register(manner))
    machine.registrationFailed("busy", isLost: false, now: start, random: 1)
    #expect(machine.nextStep(now: start + .seconds(1)) == .register(manner))
    machine.registrationSucceeded(content, now: start, random: 0.5)
    machine.checked(found, now: start, random: 0.5)
    #expect(machine.nextStep(now: start) == .wait(until: start + .seconds(300)))
    machine.checked(.present, now: start, random: 0.5)
    machine.checked(found, now: start, random: 0.5)
    #expect(machine.nextStep(now: start) == .register(manner))
  }

  @Test("an OMS that can't be asked gets the registration again every hour, and is asked again after it")
  func unsupported() {
    var machine = registered()
    var now = start + .seconds(300)
    machine.checked(.unsupported("no such method"), now: now, random: 0.5)
    #expect(machine.nextStep(now: now) == .wait(until: now + .seconds(3600)))
    now = now + .seconds(3600)
    #expect(machine.nextStep(now: now) == .register(.renewing))
    machine.registrationFailed("busy", isLost: false, now: now, random: 0.5)
    #expect(machine.nextStep(now: now) == .wait(until: now + .seconds(300)))
    #expect(machine.nextStep(now: now + .seconds(300)) == .register(.renewing))
    machine.registrationHeld(now: now, random: 0.5)
    #expect(machine.state == .registered && machine.lastError == "" && machine.registeredAt == start)
    #expect(machine.nextStep(now: now + .seconds(3600)) == .register(.renewing))
    machine.registrationSucceeded(content, now: now, random: 0.5)
    #expect(machine.nextStep(now: now + .seconds(300)) == .check)
  }

  @Test("a suspicion has it looked at, or renewed where that is not possible; many do so once in half a minute")
  func suspicion() {
    var machine = registered()
    machine.suspectLost(now: start + .seconds(29))
    #expect(machine.nextStep(now: start + .seconds(29)) == .wait(until: start + .seconds(300)))
    let now = start + .seconds(30)
    machine.suspectLost(now: now)
    #expect(machine.nextStep(now: now) == .check)
    machine.checked(.unsupported("x"), now: now, random: 0.5)
    #expect(machine.nextStep(now: now) == .register(.renewing))
    machine.registrationHeld(now: now, random: 0.5)
    machine.suspectLost(now: now + .seconds(29))
    #expect(machine.nextStep(now: now + .seconds(29)) == .wait(until: now + .seconds(3600)))
  }

  @Test("an OMS that can't be asked gets one renewal an hour on suspicion, and the regular ones all the same")
  func suspicions() {
    var machine = registered()
    var renewals: [Int64] = []
    var renewed = 0
    for second in stride(from: Int64(0), through: 3 * 3600, by: 10) {
      let now = start + .seconds(second)
      machine.suspectLost(now: now)
      while true {
        let step = machine.nextStep(now: now)
        if step == .check {
          machine.checked(.unsupported("x"), now: now, random: 0.5)
        } else if step == .register(.renewing) {
          machine.registrationSucceeded(content, now: now, random: 0.5)
          renewals.append(second)
        } else {
          break
        }
        renewed += 1
        if renewed > 10_000 { break }
      }
    }
    #expect((3...6).contains(renewals.count), "\(renewals)")
    #expect(zip(renewals, renewals.dropFirst()).allSatisfy { $1 - $0 <= 2 * 3600 })
  }

  @Test("a clock that was set back delays no attempt, no look and no suspicion")
  func clockSetBack() {
    var machine = machine()
    let before = WallTime(seconds: start.seconds - 3600)
    machine.registrationFailed("x", isLost: false, now: start, random: 1)
    #expect(machine.nextStep(now: before) == .register(.plain))
    machine.registrationSucceeded(content, now: start, random: 1)
    #expect(machine.nextStep(now: before) == .check)
    machine.checked(.present, now: start, random: 1)
    machine.suspectLost(now: before)
    #expect(machine.nextStep(now: before) == .check)
  }
}
