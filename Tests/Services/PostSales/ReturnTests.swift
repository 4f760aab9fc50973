import Messages
import Storage
import TestSupport
import Testing

@testable import Commerce
@testable import PostSales

@Suite("Returns")
struct ReturnTests {
  private static func notice(
    _ code: String, at time: Int64 = 0, rma: String = "RMA-1", lines: [Int] = [1], lineStatus: String = ""
  ) -> ReturnNotice {
    ReturnNotice(
      rma: rma, incrementID: "100000007", statusCode: code, statusReason: "", statusAt: time,
      lines: lines.map { .init(number: $0, itemID: 1, sku: "MUG", reason: "", condition: "", status: lineStatus) })
  }

  @Test(
    "never go back, whatever order their messages come in",
    arguments: [
      (["REQUESTED", "APPROVED"], "APPROVED", ReturnState.ended), (["APPROVED", "REQUESTED"], "APPROVED", .ended),
      (["REQUESTED", "RECEIVED", "REQUESTED"], "RECEIVED", .open), (["APPROVED", "CANCELLED"], "APPROVED", .ended),
      (["REQUESTED", "SOMETHINGNEW"], "SOMETHINGNEW", .open), (["CANCELLED"], "CANCELLED", .ended),
    ])
  func forward(codes: [String], status: String, state: ReturnState) {
    var record = ReturnRecord(blind: Self.notice(codes[0]), now: 1)
    for code in codes { record.take(Self.notice(code)) }
    #expect(record.omsStatus == status && record.state == state)
  }

  @Test("an older message changes no status, but is not lost on what it adds")
  func older() {
    var record = ReturnRecord(blind: Self.notice("APPROVED", at: 5), now: 1)
    record.take(Self.notice("RECEIVED", at: 5))
    var old = Self.notice("REQUESTED", at: 3)
    old.tracking.number = "R-1"
    old.attributes = [.init(name: "a", value: "1")]
    record.take(old)
    #expect(record.omsStatus == "RECEIVED" && record.tracking.number == "R-1" && record.attributes.count == 1)
  }

  @Test(
    "an item moves forward with its quantities",
    arguments: [
      ("pending", [ReturnItemStatus.pending], nil, []), ("pending", [.authorized], "authorized", ["2", "", ""]),
      ("pending", [.approved], "approved", ["2", "2", "2"]), ("received", [.authorized], nil, []),
      ("approved", [.rejected], nil, []), ("pending", [.denied], "denied", ["", "", ""]), ("pending", [], nil, []),
      ("pending", [.approved, .received], "received", ["2", "2", ""]),
      ("received", [.approved, .rejected], "approved", ["2", "2", "1"]),
    ] as [(String, [ReturnItemStatus], String?, [String])])
  func items(current: String, wanted: [ReturnItemStatus], target: String?, quantities: [String]) {
    let item = Magento.Commerce.V1.RmaItem(entityId: 3, qtyRequested: Decimal(2).message, status: current)
    let change = ReturnWork.change(of: item, to: wanted.map { ($0, 1) })
    #expect(change?.status == target)
    if let change {
      let found = [change.qtyAuthorized, change.qtyReturned, change.qtyApproved].map { $0?.value ?? "" }
      #expect(found == quantities)
    }
  }

  @Test(
    "are matched by the OMS's id, by the shop's number, by their lines; else they are new",
    arguments: TestEngine.allCases)
  func matching(engine: TestEngine) async throws {
    let files = try TestStore(engine)
    let database = try files.open(PostSalesSchema.migrations)
    let store = ReturnStore()
    try await database.write { connection in
      for (entity, lines) in [(11, [1]), (12, [2, 3]), (13, [4])] {
        var record = ReturnRecord(
          key: "shop \(entity)", incrementID: "100000007", state: .requested, createdAt: Int64(entity))
        record.entityID = Int64(entity)
        record.shopNumber = "00\(entity)"
        record.lines = lines.map { .init(number: $0, itemID: 1, sku: "MUG") }
        if entity == 13 { record.rma = "RMA-13" }
        try store.save(record, connection)
      }
    }
    let found = try await database.read { connection in
      try [
        Self.notice("", rma: "RMA-13", lines: [1]), Self.notice("", rma: "0012", lines: [1]),
        Self.notice("", lines: [2, 3]), Self.notice("", lines: [3]), Self.notice("", lines: [4]),
      ].map { try store.match($0, connection)?.entityID }
    }
    #expect(found == [13, 12, 12, 12, nil])
    let pages = try await database.read { connection in
      let first = try store.page(needsAttention: false, before: nil, limit: 2, connection)
      let rest = try store.page(
        needsAttention: false, before: first.last.map { ($0.createdAt, $0.key) }, limit: 2, connection)
      return (first + rest).map(\.entityID)
    }
    #expect(pages == [13, 12, 11])
    await database.close()
  }

  @Test(
    "one name and one return of the shop are in one record, also of replicas that save at once",
    arguments: TestEngine.allCases)
  func unique(engine: TestEngine) async throws {
    let files = try TestStore(engine)
    let databases = try (0..<2).map { _ in try files.open(PostSalesSchema.migrations) }
    let save = { @Sendable (database: Database, key: String, rma: String, entityID: Int64) in
      var record = ReturnRecord(key: key, rma: rma, incrementID: "100000007", state: .open, createdAt: 1)
      record.entityID = entityID
      return try await database.write { [record] in try ReturnStore().save(record, $0) }
    }
    try await save(databases[0], "a", "R-1", 5)
    try await save(databases[0], "a", "R-2", 6)
    try await save(databases[0], "b", "", 0)
    try await save(databases[0], "c", "", 0)
    for (rma, entityID) in [("R-2", Int64(7)), ("R-3", 6)] {
      let error = await #expect(throws: StorageError.self) { try await save(databases[0], "b", rma, entityID) }
      #expect(error?.kind == .constraint)
    }
    let refused = await withTaskGroup(of: Bool.self) { group in
      for (number, database) in databases.enumerated() {
        for name in 0..<10 {
          group.addTask {
            do { try await save(database, "\(number) \(name)", "R-\(name + 10)", 0) } catch { return true }
            return false
          }
        }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(refused == 10)
    let names = try await databases[0].read { connection in
      try connection.withStatement("SELECT COUNT(*), COUNT(DISTINCT rma) FROM goods_return WHERE rma <> ''") {
        statement in
        _ = try statement.step()
        return [statement.integer(0), statement.integer(1)]
      }
    }
    #expect(names == [11, 11])
    for database in databases { await database.close() }
  }

  @Test("a message's members come in several forms")
  func reading() throws {
    let notice = try ReturnNotice(
      busParams: Array(
        #"""
        {"return":{"rma":"R","order_id":7,"status":{"code":"APPROVED","date":"2024-02-03 04:05:06"},
        "return_tracking_number":null,"custom_attributes":[{"attribute_code":"a","value":1}],
        "lines":[{"id":12,"line_number":"2","sku":"MUG","status":"APPROVED"},{"line_number":3,"status":{"code":"REJECTED"}}]}}
        """#.utf8))
    #expect(notice.incrementID == "7" && notice.lines.map(\.status) == ["APPROVED", "REJECTED"])
    #expect(notice.lines.map(\.number) == [2, 3] && notice.attributes == [.init(name: "a", value: "1")])
    #expect(throws: PostSalesError.self) { try ReturnNotice(busParams: Array(#"{"return":{"order_id":"7"}}"#.utf8)) }
  }

  @Test("the OMS's words find the shop's options, else the first")
  func options() {
    let options = ReturnOptions(options: [
      "reason": [.init(id: "1", label: "Wrong Color"), .init(id: "2", label: "Wrong Size")]
    ])
    #expect(options.id("reason", code: "WRONG_SIZE") == "2" && options.id("reason", code: "?") == "1")
    #expect(options.id("condition", code: "OPENED").isEmpty)
  }
}
