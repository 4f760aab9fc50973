import Messages
import RPC
import Storage
import TestSupport
import Testing

@testable import Inventory

@Suite("Explaining the stock of a SKU")
struct StockStoryTests {
  private typealias Said = TouchingMessage.Said

  /// A journal with these messages, the oldest first; each consumed 1 ns after it was received.
  private final class Journal: StockJournal {
    let kept: [Omsconnector.V1.JournalMessage]
    let pageSize: Int

    init(_ kept: [Omsconnector.V1.JournalMessage], pageSize: Int = 100) {
      self.kept = kept
      self.pageSize = pageSize
    }

    func messages(
      of aggregateId: String, before: Int64, limit: Int, token: String
    ) async throws -> (messages: [Omsconnector.V1.JournalMessage], token: String) {
      let found = kept.reversed().filter { $0.key == aggregateId && $0.receivedAt?.nanosecondsSinceEpoch ?? 0 < before }
      let start = Int(token) ?? 0
      let page = Array(found.dropFirst(start).prefix(pageSize))
      return (page, start + page.count < found.count ? "\(start + page.count)" : "")
    }

    func message(_ id: Int64) async throws -> Omsconnector.V1.JournalMessage {
      guard let message = kept.first(where: { $0.id == id }) else { throw RPCError(.notFound, "none") }
      return message
    }

    func hasWaiting(of aggregateId: String) async throws -> Bool { false }
    func failed(
      of aggregateId: String, since: Int64, token: String
    ) async throws -> (messages: [Omsconnector.V1.JournalMessage], token: String) { ([], "") }
  }

  private static func body(_ mode: String, _ second: Int, _ rows: String) -> String {
    #"{"jsonrpc":"2.0","params":{"snapshot":{"aggregate_id":"EU","mode":"\#(mode)","#
      + #""created_on":"1970-01-01T00:00:\#(second)Z","stock":[\#(rows)]}}}"#
  }

  /// Applies messages one after the other, as the gateway would, and keeps them.
  private static func play(
    _ stock: TemporaryStock, _ messages: [(mode: String, second: Int, rows: String)]
  ) async throws -> [Omsconnector.V1.JournalMessage] {
    var kept: [Omsconnector.V1.JournalMessage] = []
    for (index, message) in messages.enumerated() {
      let text = body(message.mode, message.second, message.rows)
      let receivedAt = WallClock.nanoseconds()
      let params =
        #"{"snapshot":{"aggregate_id":"EU","mode":"\#(message.mode)","created_on":"1970-01-01T00:00:\#(message.second)Z","#
        + #""stock":[\#(message.rows)]}}"#
      let snapshot = try StockSnapshot(busParams: Array(params.utf8))
      _ = try await stock.store.enqueue(snapshot).value()
      kept.append(
        .init(
          id: Int64(index + 1), status: .success, key: "EU",
          receivedAt: .init(nanosecondsSinceEpoch: receivedAt), body: text))
    }
    return kept
  }

  private static func row(_ quantity: Int) -> String {
    #"{"sku":"b","quantity":1},{"sku":"a","quantity":\#(quantity)}"#
  }

  private static let story: [(mode: String, second: Int, rows: String)] = [
    ("FULL", 10, row(1)), ("DELTA", 12, row(5)), ("FULL", 11, row(7)), ("DELTA", 13, row(5)), ("DELTA", 12, row(9)),
    ("DELTA", 14, #"{"sku":"a","quantity":1.5}"#), ("DELTA", 15, #"{"sku":"b","quantity":3}"#),
    ("NONZERO", 20, #"{"sku":"b","quantity":3}"#),
  ]

  @Test("each message has its verdict, with both times", arguments: TestEngine.allCases)
  func verdicts(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let journal = Journal(try await Self.play(stock, Self.story), pageSize: 3)
    let answer = try await ExplainStock(store: stock.store, journal: journal, timeLimit: .seconds(3_600))(
      aggregateId: "EU", sku: "a", before: .max, limit: 100)
    #expect(answer.next == nil && answer.note == nil && answer.stock?.quantity == 0)
    let verdicts = answer.events.reversed().map {
      "\($0.journalID) \($0.verdict.name ?? "")".replacing("STOCK_VERDICT_", with: "")
    }
    try #require(
      verdicts == ["1 APPLIED", "2 APPLIED", "3 STALE", "4 UNCHANGED", "5 STALE", "6 REFUSED", "8 ZEROED"])
    let events = Array(answer.events.reversed())
    #expect(
      events[1].explanation
        == "applied: 1 became 5, because its created_on 1970-01-01T00:00:12Z is not before the entry's 1970-01-01T00:00:10Z"
    )
    #expect(
      events[2].explanation
        == "its created_on 1970-01-01T00:00:11Z is before the entry's 1970-01-01T00:00:12Z: it would have undone what is newer"
    )
    #expect(
      events[3].explanation.hasPrefix("the entry was 5 already; its created_on moved from 1970-01-01T00:00:12Z to"))
    #expect(events[5].explanation == "the row can't be used: quantity \"1.5\" is not a whole number")
    #expect(events[6].previousQuantity == 5 && events[6].mode == .nonzero)
    await stock.database.close()
  }

  @Test("pages follow each other without gap or repetition")
  func pages() async throws {
    let stock = try TemporaryStock()
    let journal = Journal(try await Self.play(stock, Self.story))
    let explain = ExplainStock(store: stock.store, journal: journal, timeLimit: .seconds(3_600))
    var ids: [Int64] = []
    var before = Int64.max
    for _ in 0..<10 {
      let answer = try await explain(aggregateId: "EU", sku: "a", before: before, limit: 2)
      ids += answer.events.map(\.journalID)
      guard let next = answer.next else { break }
      before = next
    }
    #expect(ids == [8, 6, 5, 4, 3, 2, 1])
    await stock.database.close()
  }

  @Test("without the journal, what changed is told, and that the rest is missing")
  func journalAway() async throws {
    final class Away: StockJournal {
      func messages(
        of aggregateId: String, before: Int64, limit: Int, token: String
      ) async throws -> (messages: [Omsconnector.V1.JournalMessage], token: String) {
        throw RPCError(.unavailable, "away")
      }
      func message(_ id: Int64) async throws -> Omsconnector.V1.JournalMessage { throw RPCError(.unavailable, "away") }
      func hasWaiting(of aggregateId: String) async throws -> Bool { throw RPCError(.unavailable, "away") }
      func failed(
        of aggregateId: String, since: Int64, token: String
      ) async throws -> (messages: [Omsconnector.V1.JournalMessage], token: String) {
        throw RPCError(.unavailable, "away")
      }
    }
    let stock = try TemporaryStock()
    _ = try await Self.play(stock, Self.story)
    let answer = try await ExplainStock(store: stock.store, journal: Away())(
      aggregateId: "EU", sku: "a", before: .max, limit: 10)
    #expect(answer.events.map(\.quantity) == [0, 5])
    #expect(answer.note?.contains("can't be read") ?? false)
    await stock.database.close()
  }

  @Test(
    "what a message says of a SKU",
    arguments: [
      (body("FULL", 10, #"{"sku":"a","quantity":"7.0"}"#), false, Said.value(quantity: 7, unlimited: false)),
      (
        body("FULL", 10, #"{"sku":"a","quantity":1},{"sku":"a","quantity":-2,"unlimited":true}"#), false,
        .value(quantity: 0, unlimited: true)
      ),
      (body("FULL", 10, #"{"sku":"\u0061","quantity":3}"#), false, .value(quantity: 3, unlimited: false)),
      (body("FULL", 10, #"{"sku":"b","quantity":3}"#), false, nil),
      (body("NONZERO", 10, #"{"sku":"aa","quantity":3}"#), false, .leftOut),
      (
        body("FULL", 10, #"{"sku":"a","quantity":3},{"sku":"#).dropLast(4).description, true,
        .value(quantity: 3, unlimited: false)
      ),
      (body("FULL", 10, #"{"sku":"x","quantity":3},{"sku":"#).dropLast(4).description, true, .unknown),
      ("no JSON", false, nil),
    ])
  private func said(body: String, isCut: Bool, said: Said?) {
    let message = Omsconnector.V1.JournalMessage(
      status: .success, receivedAt: .init(seconds: 1), body: body, bodyCut: isCut)
    #expect(TouchingMessage(message, sku: "a")?.said == said)
  }
}
