import Messages
import Storage
import TestSupport
import Testing

@testable import Commerce
@testable import PostSales

@Suite("What the OMS says of a refund")
struct RefundRecordTests {
  private static func record(_ notices: RefundNotice...) -> RefundRecord {
    var record = RefundRecord(notices[0], now: 1)
    for notice in notices { record.take(notice, now: 2) }
    return record
  }

  @Test(
    "is due when it is released, and never pending again",
    arguments: [
      (["PENDINGRELEASE"], RefundState.pending), (["RELEASED"], .due), (["PENDINGRELEASE", "RELEASED"], .due),
      (["RELEASED", "PENDINGRELEASE"], .due), (["PENDINGRELEASE", "PENDINGRELEASE"], .pending),
      (["PENDINGRELEASE", "REFUNDED"], .due), (["PENDINGRELEASE", "RELEASEFAILED"], .stuck),
      (["RELEASEFAILED", "RELEASED"], .due), (["SOMETHINGNEW"], .pending), ([""], .pending),
    ])
  func states(codes: [String], state: RefundState) {
    var record = RefundRecord(Mugs.refund([1: 10], code: codes[0]), now: 1)
    for (index, code) in codes.enumerated() {
      record.take(Mugs.refund([1: 10], code: code, at: Int64(index + 1)), now: 2)
    }
    #expect(record.state == state, "\(codes): \(record.reason)")
  }

  @Test("another amount after the shop has begun is the operator's; before that the newer counts")
  func amounts() {
    let before = Self.record(Mugs.refund([1: 10], at: 1), Mugs.refund([1: 8], at: 2))
    #expect(before.state == .due && before.amount == 8)
    var after = Self.record(Mugs.refund([1: 10], at: 1))
    after.memos = [.init(id: 1, invoiceID: 0, isOnline: false, amount: 10)]
    after.take(Mugs.refund([1: 8], at: 2), now: 3)
    #expect(after.state == .stuck && after.reason.contains("8") && after.reason.contains("10"))
    let older = Self.record(Mugs.refund([1: 10], at: 5), Mugs.refund([1: 8], at: 2))
    #expect(older.amount == 10)
  }

  @Test("attributes append")
  func attributes() {
    var first = Mugs.refund([1: 10])
    first.attributes = [.init(name: "a", value: "1"), .init(name: "b", value: "2")]
    var second = Mugs.refund([1: 10])
    second.attributes = [.init(name: "b", value: "3")]
    #expect(Self.record(first, second).attributes == [.init(name: "a", value: "1"), .init(name: "b", value: "3")])
  }

  @Test("no more attributes are kept than the limit")
  func manyAttributes() {
    var all: [Attribute] = []
    all.merge((0..<1_500).map { Attribute(name: "a\($0)", value: "") })
    all.merge([.init(name: "a0", value: "new"), .init(name: "late", value: "")])
    #expect(all.count == [Attribute].limit && all[0].value == "new")
  }

  private static func params(_ lines: String, number: String = "CDE1") -> [UInt8] {
    Array(
      #"""
      {"refund":{"order_id":"7","store_id":"WH-1","credit_note_number":"\#(number)","refund_type":"Return",
      "status":{"code":"RELEASED","reason_code":"REQUESTED","date":"2024-02-03 04:05:06+01:00"},"lines":[\#(lines)]}}
      """#.utf8)
  }

  @Test("amounts are exact texts, summed over payments and over lines that come twice")
  func reading() throws {
    let line = #"{"order_line":"2","payments":[{"details":{"cost_gross":"1.10"}},{"details":{"cost_gross":2.05}}]}"#
    let notice = try RefundNotice(busParams: Self.params("\(line),\(line)"), isReplay: false)
    #expect(notice.lines == [.init(number: 2, amount: try #require(Decimal("6.3")), reason: "")])
    #expect(notice.statusAt == 1_706_929_506_000_000_000 && notice.type == .returned && notice.status == .released)
  }

  @Test(
    "a time from the future, or none at all, is none: it would make all that follows look old",
    arguments: [
      ("2024-02-03T04:05:06Z", 1_706_933_106_000_000_000), ("2024-02-03T04:15:06Z", 1_706_933_706_000_000_000),
      ("2024-02-03T04:15:07Z", 0), ("2999-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59Z", 0), ("soon", 0),
    ] as [(String, Int64)])
  func times(text: String, expected: Int64) {
    #expect(BusTime.nanoseconds(text, now: 1_706_933_106_000_000_000) == expected)
  }

  private static func line(_ number: Int, _ amounts: String...) -> String {
    let payments = amounts.map { #"{"details":{"cost_gross":"\#($0)"}}"# }.joined(separator: ",")
    return #"{"order_line":"\#(number)","payments":[\#(payments)]}"#
  }

  @Test(
    "the largest numbers are stored and read again",
    arguments: [
      line(1, "1000000000000"), "\(line(1, "999999999999.99")),\(line(2, "0.01"))", line(1, "1000000000000", "-5"),
      line(1, "0.000000000001"), line(1, "1e12"),
    ])
  func largest(lines: String) async throws {
    let files = try TestStore(.sqlite)
    let database = try files.open(PostSalesSchema.migrations)
    let notice = try RefundNotice(busParams: Self.params(lines), isReplay: false)
    try await database.write { try RefundStore().save(RefundRecord(notice, now: 1), $0) }
    let read = try await database.read { try RefundStore().page(states: [], before: nil, limit: 1, $0) }
    #expect(read.map(\.amount) == [notice.amount])
    await database.close()
  }

  @Test(
    "what can't be used is refused with its place",
    arguments: [
      (params("", number: ""), "refund.credit_note_number"),
      (params(#"{"order_line":"x","payments":[]}"#), "refund.lines[0].order_line"),
      (params(#"{"order_line":"1","payments":[{"details":{}}]}"#), "refund.lines[0].payments[0].details.cost_gross"),
      (params(#"{"order_line":"1","payments":[{"details":{"cost_gross":"-1"}}]}"#), "refund.lines[0].payments"),
      (params(line(1, "1000000000000.01")), "refund.lines[0].payments[0].details.cost_gross"),
      (params(line(1, "1e30")), "refund.lines[0].payments[0].details.cost_gross"),
      (params(line(1, "NaN")), "refund.lines[0].payments[0].details.cost_gross"),
      (params(line(1, "1000000000000", "0.01")), "refund.lines[0].payments"),
      (params("\(line(1, "1000000000000")),\(line(1, "0.01"))"), "refund.lines"),
      (params("\(line(1, "1000000000000")),\(line(2, "1000000000000"))"), "refund.lines"),
      (Array("{}".utf8), "refund"),
    ])
  func refused(params: [UInt8], field: String) {
    #expect {
      try RefundNotice(busParams: params, isReplay: false)
    } throws: {
      ($0 as? PostSalesError)?.field == field || "\($0)".contains(field)
    }
  }
}
