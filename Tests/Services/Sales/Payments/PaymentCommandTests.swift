import Messages
import Storage
import TestSupport
import Testing

@testable import Sales
@testable import ServiceKit

@Suite("Payment commands in the store")
struct PaymentCommandTests {
  private static let hour: Int64 = 3_600_000_000_000

  private func body(_ more: String = "") -> [UInt8] {
    Array(
      #"{"payment":{"gateway":"ADYEN","gateway_key":"K1","amount":12.50,"currency":"EUR","order_id":"7"\#(more)}}"#.utf8
    )
  }

  private func consume(
    _ sales: TemporarySales, _ delivery: String, _ body: [UInt8], _ kind: PaymentCommand.Kind = .capture
  ) async throws {
    let messages = PaymentMessages(store: sales.store) {}
    let method = try #require(messages.methods.first { $0.name == kind.method })
    _ = try await method.consume(.init(deliveryId: delivery, method: kind.method, body: body), .root())
  }

  private func open(_ sales: TemporarySales) async throws -> [PaymentCommand] {
    let store = sales.store
    return try await sales.database.write { connection in
      try PaymentCommand.queue.claim(connection, limit: 9, holder: "test", for: .seconds(30))
        .compactMap { try store.openPaymentCommand(connection, $0.key) }
    }
  }

  private func end(_ sales: TemporarySales, _ command: PaymentCommand, success: Bool) async throws {
    let store = sales.store
    let message = OutboxMessage(
      method: command.kind.outcome(success: success), key: "7", route: .delegate, body: Array("{}".utf8))
    _ = try await sales.database.write { try store.end($0, command, message) }
  }

  @Test(
    "without a reference, the same sent again under another delivery id is the same operation",
    arguments: TestEngine.allCases)
  func repetition(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    for delivery in ["1", "2", "2", "3"] { try await consume(sales, delivery, body()) }
    let commands = try await open(sales)
    #expect(commands.count == 1)
    try await end(sales, commands[0], success: true)
    try await consume(sales, "4", body())
    #expect(try await open(sales).isEmpty)
    await sales.database.close()
  }

  @Test(
    "another operation is another one",
    arguments: [
      #","lines":[{"line_number":"2"}]"#, #","gateway_account":"B""#, #","amount":12.51"#, #","gateway_key":"K2""#,
      #","operation_reference":"OP-1""#,
    ])
  func others(more: String) async throws {
    let sales = try TemporarySales()
    try await consume(sales, "1", body())
    try await consume(sales, "2", body(more))
    try await consume(sales, "3", body(), .refund)
    #expect(try await open(sales).count == 3)
    await sales.database.close()
  }

  @Test("what has failed, and what was asked for long ago, may be asked for again")
  func again() async throws {
    let sales = try TemporarySales()
    try await consume(sales, "1", body())
    try await end(sales, try #require(await open(sales).first), success: false)
    try await consume(sales, "2", body())
    let second = try #require(await open(sales).first)
    try await end(sales, second, success: true)
    let store = sales.store
    for (hours, isNew) in [(23, false), (25, true)] as [(Int64, Bool)] {
      var later = second
      later.key = "after \(hours) hours"
      let (command, now) = (later, WallClock.nanoseconds() + hours * Self.hour)
      #expect(try await sales.database.write { try store.add($0, command, now: now) } == isNew)
    }
    await sales.database.close()
  }

  @Test(
    "one that waits for an operator is told of, and goes on when it is sent again or resumed",
    arguments: TestEngine.allCases)
  func stuck(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    let store = sales.store
    let named = body(#","operation_reference":"OP-1""#)
    try await consume(sales, "1", named)
    try await consume(sales, "2", body())
    func stuck(of id: String? = nil) async throws -> [StuckPayment] {
      try await sales.database.read { try store.stuckPayments($0, of: id) }
    }
    func park() async throws -> Int {
      try await sales.database.write { connection in
        let items = try PaymentCommand.queue.claim(connection, limit: 9, holder: "test", for: .seconds(30))
        for item in items { try PaymentCommand.queue.park(connection, item, reason: "there is no integration") }
        return items.count
      }
    }
    #expect(try await stuck().isEmpty)
    #expect(try await park() == 2)
    let expected = StuckPayment(incrementID: "7", command: "capture", reason: "there is no integration")
    #expect(try await stuck() == [expected, expected])
    #expect(try await stuck(of: "8").isEmpty)
    #expect(try await sales.database.read { try store.stuckPaymentCount($0) } == 2)
    // With the reference of before, and without one, under other delivery ids.
    try await consume(sales, "3", named)
    #expect(try await stuck().count == 1)
    try await consume(sales, "4", body())
    #expect(try await stuck().isEmpty)
    #expect(try await park() == 2)
    try await sales.database.write { try store.resumePayments($0, of: "8") }
    #expect(try await stuck().count == 2)
    try await sales.database.write { try store.resumePayments($0, of: "7") }
    #expect(try await stuck().isEmpty)
    #expect(try await open(sales).count == 2)
    await sales.database.close()
  }

  @Test("one that is tried again by itself is not hurried by a repetition")
  func waiting() async throws {
    let sales = try TemporarySales()
    let named = body(#","operation_reference":"OP-1""#)
    try await consume(sales, "1", named)
    try await sales.database.write { connection in
      for item in try PaymentCommand.queue.claim(connection, limit: 9, holder: "test", for: .seconds(30)) {
        try PaymentCommand.queue.retry(connection, item, after: .seconds(300), reason: "503")
      }
    }
    try await consume(sales, "2", named)
    #expect(try await open(sales).isEmpty)
    await sales.database.close()
  }

  @Test("bodies go with the outcome, and commands with the journal's retention", arguments: TestEngine.allCases)
  func retention(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    for delivery in ["1", "2"] { try await consume(sales, delivery, body(#","operation_reference":"\#(delivery)""#)) }
    let commands = try await open(sales)
    try await end(sales, commands[0], success: true)
    func bodies() async throws -> [Int] {
      try await sales.database.read { connection in
        try connection.withStatement("SELECT body FROM sales_payment_command ORDER BY outcome") { statement in
          var sizes: [Int] = []
          while try statement.step() { sizes.append(statement.blob(0).count) }
          return sizes
        }
      }
    }
    #expect(try await bodies() == [commands[1].body.count, 0])
    for (days, left) in [(59, 2), (61, 1)] as [(Int64, Int)] {
      let now = WallClock.nanoseconds() + days * 24 * Self.hour
      _ = try await sales.database.write { try SalesStore.removeOldPaymentCommands($0, now: now) }
      #expect(try await bodies().count == left)
    }
    await sales.database.close()
  }
}
