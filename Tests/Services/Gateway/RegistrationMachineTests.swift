import Testing

@testable import Gateway

@Suite struct RegistrationMachineTests {
  private let start = WallTime(seconds: 1_700_000_000)

  private func machine() -> RegistrationMachine { RegistrationMachine(isConfigured: true, now: start) }

  @Test("registers at once at the start")
  func first() {
    #expect(machine().state == .pending && machine().nextStep(now: start) == .register)
  }

  @Test("without an OMS there is nothing to do, whatever is heard")
  func unconfigured() {
    var machine = RegistrationMachine(isConfigured: false, now: start)
    machine.registrationSucceeded(now: start)
    machine.registrationFailed("x", isLost: true, now: start, random: 0)
    machine.unregistered()
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
      #expect(machine.nextStep(now: now) == .register)
    }
    #expect(machine.failedAttempts == longest.count && machine.lastError == "no route")
    for _ in 0..<10_000 { machine.registrationFailed("no route", isLost: false, now: now, random: 1) }
    #expect(machine.nextAttemptAt == now + .seconds(60))
  }

  @Test("a success ends the attempts and forgets the failures")
  func success() {
    var machine = machine()
    machine.registrationFailed("x", isLost: false, now: start, random: 0.5)
    machine.registrationSucceeded(now: start + .seconds(3))
    #expect(machine.state == .registered && machine.registeredAt == start + .seconds(3))
    #expect(machine.failedAttempts == 0 && machine.lastError == "" && machine.nextAttemptAt == nil)
    #expect(machine.nextStep(now: start + .seconds(1_000_000)) == .rest)
  }

  @Test("a registration that holds is not given up because renewing it failed; one that is lost is sought again")
  func renewal() {
    var machine = machine()
    machine.registrationSucceeded(now: start)
    machine.registrationFailed("busy", isLost: false, now: start, random: 0)
    #expect(machine.state == .registered && machine.lastError == "busy" && machine.nextStep(now: start) == .rest)
    machine.registrationFailed("busy", isLost: true, now: start, random: 0)
    #expect(machine.state == .pending && machine.nextStep(now: start + .seconds(60)) == .register)
  }

  @Test("after it was taken back nothing happens until somebody registers again, and then it insists")
  func unregistered() {
    var machine = machine()
    machine.registrationSucceeded(now: start)
    machine.unregistered()
    #expect(machine.state == .unregistered && machine.nextStep(now: start + .seconds(1_000_000)) == .rest)
    machine.registrationFailed("x", isLost: false, now: start, random: 0)
    #expect(machine.state == .pending)
  }

  @Test("a failure to take it back leaves it as it was")
  func unregistrationFailed() {
    var machine = machine()
    machine.registrationSucceeded(now: start)
    machine.unregistrationFailed("busy")
    #expect(machine.state == .registered && machine.lastError == "busy")
  }

  @Test("a clock that was set back delays no attempt")
  func clockSetBack() {
    var machine = machine()
    machine.registrationFailed("x", isLost: false, now: start, random: 1)
    #expect(machine.nextStep(now: WallTime(seconds: start.seconds - 3600)) == .register)
  }
}
