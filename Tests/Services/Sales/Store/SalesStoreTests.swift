import Commerce
import Storage
import TestSupport
import Testing

@testable import Sales

@Suite("Comments that wait for the shop")
struct WaitingCommentTests {
  @Test("at the limit the last one says how many were left out", arguments: TestEngine.allCases)
  func limit(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    let store = sales.store
    let last = try await sales.database.write { connection in
      for number in 1...SalesStore.commentLimit + 4 {
        try store.addComment(connection, of: "7", "comment \(number)", now: 1_706_933_106_000_000_000)
      }
      var all: [String] = []
      while true {
        let next = try store.comments(connection, of: "7")
        if next.isEmpty { return (all.count, all.suffix(2)) }
        all += next.map(\.text)
        for comment in next { try store.removeComment(connection, of: "7", comment.id) }
      }
    }
    #expect(last.0 == SalesStore.commentLimit)
    #expect(
      Array(last.1) == [
        "comment \(SalesStore.commentLimit - 1)",
        "OMS: messages left out since 2024-02-03 04:05:06 UTC, as too many wait: 5; see omsctl journal",
      ])
    await sales.database.close()
  }
}

@Suite("Orders in the store")
struct SalesStoreTests {
  @Test("what is saved is read again, and saved again it replaces what was there", arguments: TestEngine.allCases)
  func saving(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    var saved = order()
    saved.baseToOrderRate = try #require(Decimal("1.0837"))
    saved.omsStatusAt = 5
    saved.reason = "it's \"so\""
    var lines = [line(1), line(2)]
    lines[1].attributes = ["colour": "red \"1\"", "size": "ä"]
    lines[1].shippedAt = 9
    try await sales.add(saved, lines)
    let found = try #require(try await sales.store.order("000000007"))
    saved.updatedAt = found.updatedAt
    #expect(found == saved)
    #expect(try await sales.store.lines(of: "000000007") == lines)
    #expect(try await sales.store.order("000000008") == nil)

    saved.attention = "look"
    lines.removeLast()
    try await sales.add(saved, lines)
    #expect(try await sales.store.order("000000007")?.needsAttention == true)
    #expect(try await sales.store.lines(of: "000000007") == lines)
    await sales.database.close()
  }

  @Test("attributes are set by name, and the others stay", arguments: TestEngine.allCases)
  func attributes(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    let store = sales.store
    try await sales.add(order())
    for attributes in [[("b", "1"), ("a", "1")], [("b", "2")]] {
      _ = try await sales.database.write { try store.setAttributes($0, of: "000000007", attributes) }
    }
    let found = try await sales.database.read {
      try store.attributes($0, of: "000000007").map { "\($0.name)=\($0.value)" }
    }
    #expect(found == ["a=1", "b=2"])
    await sales.database.close()
  }

  @Test(
    "created makes it accepted once; its content goes, and an operator's case stays", arguments: TestEngine.allCases)
  func accepted(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    let store = sales.store
    var failed = order(.init("000000007"), .failed)
    failed.reason = "no"
    failed.attention = "an invoice is missing"
    try await sales.add(failed)
    try await sales.database.write { try store.saveContent($0, of: "000000007", Array("{}".utf8)) }
    for now in [Int64(50), 60] {
      #expect(try await sales.database.write { try store.markAccepted($0, "000000007", now: now) })
    }
    let found = try #require(try await store.order("000000007"))
    #expect(found.exportState == .accepted && found.reason.isEmpty && found.acceptedAt == 50)
    #expect(found.attention == "an invoice is missing")
    #expect(try await sales.database.read { try store.content($0, of: "000000007") } == nil)
    #expect(try await sales.database.write { try !store.markAccepted($0, "000000008") })
    await sales.database.close()
  }

  @Test(
    "a refused delivery fails the order that waits for it, and no other",
    arguments: TestEngine.allCases,
    [(ExportState.sent, ExportState.failed), (.unconfirmed, .failed), (.accepted, .accepted)])
  func refused(engine: TestEngine, states: (ExportState, ExportState)) async throws {
    let sales = try TemporarySales(engine)
    let store = sales.store
    var sent = order("000000007", states.0)
    sent.deliveryID = "sales-1"
    try await sales.add(sent)
    try await sales.add(order("000000008", .sent))
    for delivery in ["", "sales-2"] {
      #expect(
        try await sales.database.write { try store.markFailed($0, deliveryID: delivery, reason: "no") } == nil)
    }
    let found = try await sales.database.write { try store.markFailed($0, deliveryID: "sales-1", reason: "no") }
    #expect(found?.incrementID == "000000007")
    #expect(try await store.order("000000007")?.exportState == states.1)
    #expect(try await store.order("000000008")?.exportState == .sent)
    await sales.database.close()
  }

  @Test(
    "only what was sent before the time and not confirmed becomes unconfirmed, once", arguments: TestEngine.allCases)
  func unconfirmed(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    let store = sales.store
    for (id, state, sentAt) in [
      ("1", ExportState.sent, Int64(10)), ("2", .sent, 30), ("3", .accepted, 10), ("4", .sent, 11),
    ] {
      var sent = order(id, state)
      sent.sentAt = sentAt
      try await sales.add(sent)
    }
    let mark = { (limit: Int) in
      try await sales.database.write {
        try store.markUnconfirmed($0, sentBefore: 20, limit: limit, reason: "late")
      }
    }
    #expect(try await mark(1) == ["1"])
    #expect(try await mark(10) == ["4"])
    #expect(try await mark(10).isEmpty)
    #expect(try await store.order("1")?.reason == "late")
    await sales.database.close()
  }

  @Test("pages hold the newest first, filtered, without a gap between equal times", arguments: TestEngine.allCases)
  func listing(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    let store = sales.store
    for (id, state, createdAt) in [
      ("1", ExportState.held, Int64(1)), ("2", .sent, 5), ("3", .sent, 5), ("4", .accepted, 9), ("5", .failed, 2),
    ] {
      try await sales.add(order(id, state, createdAt: createdAt))
    }
    try await sales.database.write { try store.setAttention($0, of: "4", "look") }
    let page = { (filter: OrderFilter, place: OrderPlace?, limit: Int) in
      try await sales.database.read { try store.orders($0, filter, after: place, limit: limit).map(\.incrementID) }
    }
    #expect(try await page(.init(), nil, 10) == ["4", "3", "2", "5", "1"])
    #expect(try await page(.init(), nil, 2) == ["4", "3"])
    #expect(try await page(.init(), .init(createdAt: 5, incrementID: "3"), 2) == ["2", "5"])
    #expect(try await page(.init(states: [.sent, .held]), nil, 10) == ["3", "2", "1"])
    #expect(try await page(.init(needsAttention: true), nil, 10) == ["4", "5"])
    #expect(try await page(.init(states: [.failed], needsAttention: true), nil, 10) == ["5"])
    let counts = try await sales.database.read { try store.counts($0) }
    #expect(counts == [.held: 1, .sent: 2, .accepted: 1, .failed: 1])
    await sales.database.close()
  }

  @Test("of an order that is forgotten nothing stays", arguments: TestEngine.allCases)
  func forgotten(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    let store = sales.store
    for id in ["1", "2"] {
      try await sales.add(order(id, .failed), [line(1)])
      try await sales.database.write { connection in
        try store.saveContent(connection, of: id, [1])
        try store.setAttributes(connection, of: id, [(name: "a", value: "b")])
        _ = try store.addParcel(connection, of: id, .init(key: "R", tracks: [], isDone: false), now: 1)
        try store.note(connection, of: id, .init(kind: "invoice", entityID: 1, purpose: ""), now: 1)
        try store.begin(
          connection, of: id,
          .init(kind: .shipment, marker: "", captures: false, knownCaptures: 0, totalPaid: 0, amount: 0, begunAt: 1))
        try store.addComment(connection, of: id, "said")
      }
    }
    try await sales.database.write { try store.remove($0, "1") }
    let left = try await sales.database.read { connection in
      try [
        "sales_order", "sales_order_content", "sales_line", "sales_attribute", "sales_parcel", "sales_document",
        "sales_step", "sales_comment",
      ].map { table in
        try connection.withStatement("SELECT increment_id FROM \(table)") { statement in
          var ids: [String] = []
          while try statement.step() { ids.append(statement.text(0)) }
          return ids
        }
      }
    }
    #expect(left == Array(repeating: ["2"], count: 8))
    await sales.database.close()
  }

  @Test(
    "open units are those of goods, virtual ones too, that the shop has not done, by SKU and website",
    arguments: TestEngine.allCases)
  func openUnits(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    let store = sales.store
    var done = line(2)
    done.shopDoneAt = 1
    var virtual = line(3, "VOUCHER")
    virtual.kind = .virtual
    var bundle = line(5, "KIT")
    bundle.kind = .bundle
    let half = try #require(Decimal("0.5"))
    try await sales.add(order("1"), [line(1), done, virtual, line(4, "CUP", quantity: half), bundle])
    try await sales.add(order("2", .held), [line(1), line(2)])
    var other = order("3", .sent)
    other.website = "us"
    try await sales.add(other, [line(1)])
    try await sales.add(order("4", .foreign), [line(1)])
    let mugs = [
      OpenUnits(sku: "MUG", website: "base", acknowledged: 1, unacknowledged: 2),
      OpenUnits(sku: "MUG", website: "us", acknowledged: 0, unacknowledged: 1),
    ]
    let cups = [OpenUnits(sku: "CUP", website: "base", acknowledged: half, unacknowledged: 0)]
    let vouchers = [OpenUnits(sku: "VOUCHER", website: "base", acknowledged: 1, unacknowledged: 0)]
    #expect(try await sales.database.read { try store.openUnits($0, of: ["MUG", "PLATE", "KIT"]) } == mugs)
    #expect(try await sales.database.read { try store.openUnits($0, after: "", limit: 10) } == cups + mugs + vouchers)
    #expect(try await sales.database.read { try store.openUnits($0, after: "", limit: 1) } == cups)
    #expect(try await sales.database.read { try store.openUnits($0, after: "CUP", limit: 1) } == mugs)
    #expect(try await sales.database.read { try store.openUnits($0, after: "VOUCHER", limit: 1) }.isEmpty)
    await sales.database.close()
  }

  @Test("a shipment request is taken over once, and its lines end", arguments: TestEngine.allCases)
  func shipmentRequests(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    let store = sales.store
    var request = ShipmentRequest(
      requestID: "EU-7-01", incrementID: "000000007", sourceID: "WH-1", shippingMethod: "STANDARD", createdAt: 5,
      lines: [1, 2].map { .init(number: $0, sku: "MUG", name: "Mug", status: "REQUESTED", item: "{}") })
    let (first, later) = (
      request,
      ShipmentRequest(
        requestID: "EU-7-02", incrementID: "000000007", sourceID: "WH-1", shippingMethod: "STANDARD", createdAt: 5)
    )
    #expect(try await sales.database.write { try store.add($0, first) })
    #expect(try await sales.database.write { try !store.add($0, first) })
    #expect(try await sales.database.write { try store.add($0, later) })
    let list = { (open: Bool, place: (createdAt: Int64, requestID: String)?) in
      try await sales.database.read {
        try store.shipmentRequests($0, open: open, after: place, limit: 10).map(\.requestID)
      }
    }
    #expect(try await list(false, nil) == ["EU-7-02", "EU-7-01"])
    #expect(try await list(false, (5, "EU-7-02")) == ["EU-7-01"])
    #expect(try await list(true, nil) == ["EU-7-01"])
    for index in request.lines.indices { request.lines[index].ending = "declined" }
    let ended = request
    try await sales.database.write { try store.save($0, ended) }
    #expect(try await list(true, nil).isEmpty)
    #expect(try await sales.database.read { try store.shipmentRequest($0, "EU-7-01") } == ended)
    await sales.database.close()
  }
}
