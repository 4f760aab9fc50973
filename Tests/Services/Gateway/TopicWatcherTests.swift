import EventLoop
import Testing

@testable import Gateway

private let stock = "magento.inventory.aggregate_stock_management.updated"

@Suite("topics of the services that run")
struct TopicWatcherTests {
  private let time = InventedTime()

  @Test("a topic stays for ten minutes after the last service that named it was heard of")
  func hysteresis() {
    var topics = RunningTopics(kept: [], now: time.instant)
    #expect(topics.topics(now: time.instant) == [])
    #expect(topics.hear([stock], from: .inventory, now: time.instant) == [])
    time.advance(by: .seconds(599))
    #expect(topics.hear([], from: .inventory, now: time.instant) == [])
    #expect(topics.topics(now: time.instant) == [stock])
    time.advance(by: .seconds(1))
    #expect(topics.topics(now: time.instant) == [])
  }

  @Test("topics of before the gateway's start count as just heard, if the gateway still knows them")
  func kept() {
    var topics = RunningTopics(kept: [stock, "magento.gone"], now: time.instant)
    #expect(topics.topics(now: time.instant) == [stock])
    time.advance(by: .seconds(600))
    #expect(topics.topics(now: time.instant) == [])
  }

  @Test("what the gateway would not hand to the service is not subscribed to")
  func strangers() {
    var topics = RunningTopics(kept: [], now: time.instant)
    #expect(topics.hear(["magento.other", stock], from: .inventory, now: time.instant) == ["magento.other"])
    #expect(topics.hear([stock], from: .sales, now: time.instant) == [stock])
    #expect(topics.topics(now: time.instant) == [stock])
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
      try await watcher.run(kept: kept) { topics in run.reports.withLock { $0.append((time.instant - start, topics)) } }
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

  @Test("a restart of a service is not told; one that is gone for good is, and kept as told")
  func restart() async {
    let memory = KeptInMemory()
    let reports = await reports(sleeps: 400, memory: memory) { service, at in
      guard service == .inventory else { return [] }
      let isAway = (at > .seconds(100) && at < .seconds(400)) || at > .seconds(1000)
      return isAway ? nil : [stock]
    }
    #expect(reports.first { $0.topics != [stock] }?.at == .seconds(1600))
    #expect(memory.topics.withLock { $0 } == [[stock], []])
  }
}
