import Testing

@testable import Gateway

@Suite("How much is sent to the OMS at a time")
struct SendLimitsTests {
  private static let start = ContinuousClock.now

  private func expect(
    _ limits: inout SendLimits, _ now: ContinuousClock.Instant, _ tickets: [SendLimits.Ticket],
    location: SourceLocation = #_sourceLocation
  ) {
    let admitted = limits.admissions(now: now)
    #expect(admitted == tickets, sourceLocation: location)
  }

  @Test("never more at the same time than the OMS works on")
  func concurrency() {
    var limits = SendLimits(concurrency: 3, rate: nil)
    for _ in 0..<5 { _ = limits.request(.delivery) }
    expect(&limits, Self.start, [1, 2, 3])
    expect(&limits, Self.start, [])
    limits.released()
    expect(&limits, Self.start, [4])
    #expect(limits.nextDue == nil, "only an answer lets the next one go")
  }

  @Test(
    "no second has more than the rate and a tenth of it, and none has less when enough waits", arguments: [1, 7, 100])
  func rate(perSecond: Int) {
    let time = InventedTime()
    let start = time.instant
    var limits = SendLimits(concurrency: 1_000, rate: perSecond)
    for _ in 0..<(perSecond * 20) { _ = limits.request(.delivery) }
    var sent: [Duration] = []
    while time.instant - start < .seconds(10) {
      let admitted = limits.admissions(now: time.instant)
      for _ in admitted {
        sent.append(time.instant - start)
        limits.released()
      }
      guard let due = limits.nextDue else { break }
      #expect(due > time.instant || !admitted.isEmpty)
      time.advance(by: max(.nanoseconds(1), due - time.instant))
    }
    for first in sent.indices {
      let within = sent[first...].prefix { $0 - sent[first] < .seconds(1) }.count
      #expect(within <= perSecond + max(1, perSecond / 10))
    }
    #expect(sent.count >= perSecond * 10 - 1, "\(sent.count) in 10 s")
  }

  @Test("several gateways have no more together than one alone, and each can send")
  func sharing() {
    for gateways in 1...3 {
      var limits = SendLimits(concurrency: 12, rate: 60)
      limits.share(among: gateways)
      for _ in 0..<100 { _ = limits.request(.delivery) }
      var sent = 0
      for tenth in 0...10 {
        let admitted = limits.admissions(now: Self.start.advanced(by: .milliseconds(100 * tenth)))
        #expect(admitted.count <= 12 / gateways)
        for _ in admitted { limits.released() }
        sent += admitted.count
      }
      #expect(sent >= 60 / gateways && sent <= 66 / gateways)
    }
    var limits = SendLimits(concurrency: 2, rate: nil)
    limits.share(among: 3)
    for _ in 0..<5 { _ = limits.request(.delivery) }
    expect(&limits, Self.start, [1])
    limits.share(among: 1)
    expect(&limits, Self.start, [2])
  }

  @Test("a pause does not save up for a burst")
  func burst() {
    var limits = SendLimits(concurrency: 1_000, rate: 50)
    expect(&limits, Self.start, [])
    for _ in 0..<100 { _ = limits.request(.delivery) }
    let admitted = limits.admissions(now: Self.start.advanced(by: .seconds(3_600)))
    #expect(admitted.count == 5)
  }

  @Test("who is waited for goes first, and who gave up takes no turn")
  func urgency() {
    var limits = SendLimits(concurrency: 1, rate: nil)
    _ = limits.request(.delivery)
    expect(&limits, Self.start, [1])
    let tickets = [limits.request(.delivery), limits.request(.call), limits.request(.call)]
    #expect(tickets == [2, 3, 4])
    limits.withdraw(3)
    limits.released()
    expect(&limits, Self.start, [4])
    limits.released()
    expect(&limits, Self.start, [2])
  }

  @Test("calls beyond the limit do not wait")
  func manyCalls() {
    var limits = SendLimits(concurrency: 1, rate: nil)
    let tickets = (0..<SendLimits.maxWaitingCalls + 1).map { _ in limits.request(.call) }
    #expect(tickets.last == .some(nil) && !tickets.dropLast().contains(nil))
  }

  @Test("who is cancelled while it waits is let go, and the next one has its turn")
  func cancelled() async {
    let limiter = SendLimiter(SendLimits(concurrency: 1, rate: nil))
    #expect(await limiter.begin())
    let waiting = Task { await limiter.begin(.call) }
    let next = Task { await limiter.begin(.delivery) }
    waiting.cancel()
    #expect(await waiting.value == false)
    await limiter.end()
    #expect(await next.value)
  }

  @Test("a rate lets the next one go without anybody asking again")
  func timer() async {
    let limiter = SendLimiter(SendLimits(concurrency: 10, rate: 1_000))
    var turns = 0
    for _ in 0..<300 where await limiter.begin() {
      turns += 1
      await limiter.end()
    }
    #expect(turns == 300)
  }
}
