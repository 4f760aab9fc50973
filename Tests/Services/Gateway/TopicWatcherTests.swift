import EventLoop
import Testing

@testable import Gateway

private let stock = "magento.inventory.aggregate_stock_management.updated"

@Suite("topics of the services that run")
struct TopicWatcherTests {
  private let time = InventedTime()

  private static let wall = WallTime(seconds: 1_700_000_000)
  private func topics(_ kept: [KeptTopic] = []) -> RunningTopics {
    RunningTopics(kept: kept, now: time.instant, wall: Self.wall)
  }

  private func methods(_ topics: inout RunningTopics) -> [String] {
    topics.topics(now: time.instant, wall: Self.wall).map(\.method)
  }

  @Test("while a service is away its methods stay, which is said, for 48 hours; the last ones for good")
  func away() {
    var topics = topics()
    #expect(methods(&topics) == [])
    #expect(topics.hear([stock], from: .inventory, now: time.instant) == [])
    time.advance(by: RunningTopics.silence - .seconds(1))
    #expect(topics.topics(now: time.instant, wall: Self.wall) == [KeptTopic(method: stock)])
    time.advance(by: .seconds(1))
    let since = WallTime(nanoseconds: Self.wall.nanoseconds - Int64(RunningTopics.silence.nanoseconds))
    #expect(topics.topics(now: time.instant, wall: Self.wall) == [KeptTopic(method: stock, awaySince: since)])
    time.advance(by: .seconds(1000 * 3600))
    #expect(topics.topics(now: time.instant, wall: Self.wall) == [KeptTopic(method: stock, awaySince: since)])
    #expect(topics.hear([stock], from: .inventory, now: time.instant) == [])
    #expect(topics.topics(now: time.instant, wall: Self.wall) == [KeptTopic(method: stock)])
  }

  @Test("a method that its service has stopped to name stays for ten minutes, and for good when it is the last")
  func notNamed() {
    var topics = topics()
    _ = topics.hear([stock], from: .inventory, now: time.instant)
    for _ in 0..<200 {
      time.advance(by: .seconds(5))
      _ = topics.hear([], from: .inventory, now: time.instant)
    }
    #expect(topics.topics(now: time.instant, wall: Self.wall) == [KeptTopic(method: stock)])
  }

  @Test("what is kept stays over restarts of the gateway, if it still knows the method, and with it since when")
  func kept() {
    let since = WallTime(seconds: Self.wall.seconds - 40 * 3600)
    let kept = KeptTopic(method: stock, awaySince: since)
    var topics = topics([kept, KeptTopic(method: "magento.gone")])
    #expect(topics.topics(now: time.instant, wall: Self.wall) == [kept])
    time.advance(by: RunningTopics.absence / 2 - .seconds(1))
    #expect(topics.topics(now: time.instant, wall: Self.wall) == [kept])
  }

  @Test("what the gateway would not hand to the service is not subscribed to")
  func strangers() {
    var topics = topics()
    #expect(topics.hear(["magento.other", stock], from: .inventory, now: time.instant) == ["magento.other"])
    #expect(topics.hear([stock], from: .sales, now: time.instant) == [stock])
    // What goes to the service that has sent what it is about is neither a stranger nor subscribed to for its sake.
    #expect(topics.hear(["magento.common.error_management.created"], from: .postSales, now: time.instant) == [])
    #expect(methods(&topics) == [stock])
  }

  private struct End: Error {}

  private final class Run: Sendable {
    let left: Lock<Int>
    let reports = Lock<[(at: Duration, topics: [String])]>([])
    init(sleeps: Int) { left = Lock(sleeps) }
  }

  /// Runs the watcher on invented time until it has slept `sleeps` times.
  ///
  /// - Returns: each report, with the seconds since the start.
  private func reports(
    sleeps: Int, wait: Duration = .seconds(3), kept: [String] = [], memory: KeptInMemory = KeptInMemory(),
    _ answer: @escaping @Sendable (ConnectorService, Duration) -> [String]?
  ) async -> [(at: Duration, topics: [String])] {
    let (time, run) = (time, Run(sleeps: sleeps))
    let start = time.instant
    let watcher = TopicWatcher(
      services: ConnectorService.allCases, ask: { answer($0, time.instant - start) }, memory: memory, startWait: wait,
      now: { time.instant },
      sleep: { duration in
        let isOver = run.left.withLock { left in
          left -= 1
          return left < 0
        }
        if isOver { throw End() }
        time.advance(by: duration)
      })
    await #expect(throws: End.self) {
      try await watcher.run(kept: kept.map { KeptTopic(method: $0) }) { topics in
        run.reports.withLock { $0.append((time.instant - start, topics.map(\.method))) }
      }
    }
    return run.reports.withLock { $0 }
  }

  @Test("reports at once when all have answered, those without a consumer too")
  func allAnswer() async {
    let reports = await reports(sleeps: 2) { service, _ in service == .inventory ? [stock] : [] }
    #expect(reports.map(\.at) == [.zero, .seconds(5), .seconds(10)])
    #expect(reports.allSatisfy { $0.topics == [stock] })
  }

  @Test("waits a while for a service that is starting, no longer for one that does not, and not if topics are kept")
  func waits() async {
    let late = await reports(sleeps: 5) { service, at in
      service == .inventory ? (at >= .seconds(1) ? [stock] : nil) : []
    }
    #expect(late.map(\.at) == [.seconds(1)] && late.map(\.topics) == [[stock]])
    let never = await reports(sleeps: 16) { service, _ in service == .inventory ? nil : [] }
    #expect(never.map(\.at) == [.seconds(3), .seconds(8)] && never.map(\.topics) == [[], []])
    let known = await reports(sleeps: 0, kept: [stock]) { _, _ in nil }
    #expect(known.map(\.topics) == [[stock]])
    let unwanted = await reports(sleeps: 0, wait: .zero) { _, _ in nil }
    #expect(unwanted.map(\.topics) == [[]])
  }

  @Test("neither a restart of a service is told to the OMS, nor that it is away; the store has since when")
  func restart() async {
    let memory = KeptInMemory()
    let reports = await reports(sleeps: 400, memory: memory) { service, at in
      guard service == .inventory else { return [] }
      let isAway = (at > .seconds(100) && at < .seconds(140)) || at > .seconds(1000)
      return isAway ? nil : [stock]
    }
    #expect(reports.allSatisfy { $0.topics == [stock] })
    let saved = memory.topics.withLock { $0 }
    #expect(saved.map { $0.map(\.method) } == [[stock], [stock]])
    #expect(saved.map { $0[0].awaySince != nil } == [false, true])
  }
}
