import Messages
import TestSupport
import Testing

@testable import Commerce
@testable import Sales
@testable import Storage

@Suite("Orders taken over from the shop")
struct ExportOrdersTests {
  @Test("above how many units an item is one line is the merchant's choice", arguments: [(1, ["2"]), (2, ["1", "1"])])
  func unitLimit(limit: Int, quantities: [String]) async throws {
    let test = try TestExport()
    try await test.export(unitLimit: limit).take(TestExport.order(), .seen)
    let lines = try await test.store.lines(of: "000000007").filter { $0.kind == .physical }
    #expect(lines.map(\.quantity.text) == quantities)
    await test.sales.database.close()
  }

  @Test("an order is sent once, however often and from how many sides it is seen", arguments: TestEngine.allCases)
  func once(engine: TestEngine) async throws {
    let test = try TestExport(engine)
    let (export, order) = (test.export(), try TestExport.order())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for occasion in [ExportOrders.Occasion.seen, .asked, .seen, .due] {
        group.addTask { _ = try await export.take(order, occasion) }
      }
      try await group.waitForAll()
    }
    try await export.take(seen: [order, order])
    let sent = try await test.sales.outgoing()
    #expect(sent.map(\.message.method) == ["magento.sales.order_management.create"])
    #expect(sent.map(\.message.key) == ["000000007"] && sent.map(\.message.route) == [.delegate])
    let message = try #require(try Magento.Oms.V1.OrderMessage(json: sent[0].message.body).order)
    #expect(message.id == "000000007" && message.store == "EU-STORE" && message.lines.count == 3)
    let saved = try #require(try await test.store.order("000000007"))
    #expect(saved.exportState == .sent && saved.deliveryID == sent[0].deliveryID && saved.sentAt != nil)
    #expect(saved.channel == "EU-STORE" && saved.website == "base" && saved.grandTotal == 25)
    #expect(saved.captureModel == .offlineCaptured && saved.entityID == 7)
    let lines = try await test.store.lines(of: "000000007")
    #expect(lines.map(\.sku) == ["SKU-9", "SKU-9", "STANDARD"])
    #expect(lines.map(\.productID) == [9, 9, 0] && lines.map(\.itemID) == [3, 3, 0])
    #expect(lines.map(\.gross).sum() == 25)
    #expect(test.world.read { $0.additions } == 1)
    await test.sales.database.close()
  }

  @Test(
    "an order with a number that the OMS has given to another needs an operator, and is sent when that is asked for",
    arguments: TestEngine.allCases)
  func foreign(engine: TestEngine) async throws {
    let test = try TestExport(engine)
    var foreign = order("000000007", .foreign)
    (foreign.entityID, foreign.originalOrderID) = (0, "000000003")
    try await test.sales.add(foreign, [line(1, "CUP")])
    let (export, seen) = (test.export(), try TestExport.order())
    for _ in 0..<2 { _ = try await export.take(seen, .seen) }
    var saved = try #require(try await test.store.order("000000007"))
    #expect(saved.exportState == .foreign && saved.needsAttention)
    #expect(saved.attention.contains("made for order 000000003") && saved.attention.contains("orders export 000000007"))
    #expect(try await test.outgoing().isEmpty)
    // What is over in the shop is nothing to be sent, and the OMS's stays.
    guard case .over = try await export.take(TestExport.order("000000007", ["state": "\"closed\""]), .asked) else {
      Issue.record("it is not over")
      return
    }
    #expect(try await test.store.order("000000007")?.exportState == .foreign)
    guard case .sent = try await export.take(seen, .asked) else {
      Issue.record("it is not sent")
      return
    }
    saved = try #require(try await test.store.order("000000007"))
    #expect(saved.exportState == .sent && saved.attention == "" && saved.originalOrderID == "" && saved.entityID == 7)
    #expect(try await test.store.lines(of: "000000007").map(\.sku) == ["SKU-9", "SKU-9", "STANDARD"])
    #expect(try await test.outgoing() == ["create 000000007"])
    await test.sales.database.close()
  }

  private static let holds: [(String, [String: String])] = [
    ("payment method \"adyen\" is not mapped", ["payment": #"{"method":"adyen"}"#]),
    (
      "does not have SKU \"SKU-10\"", ["items": #"[{"item_id":3,"product_id":10,"qty_ordered":"2.0000","sku":"X"}]"#]
    ),
    ("the shop has no store view 2", ["store_id": "2"]),
    ("grand_total", ["grand_total": "\"lots\""]),
  ]

  @Test("what can't be sent waits with its reason, and its units count", arguments: holds.indices)
  func held(index: Int) async throws {
    let (reason, changes) = Self.holds[index]
    let test = try TestExport()
    // A text where a number belongs can't even be read.
    guard let order = try? TestExport.order("000000007", changes) else {
      #expect(index == 3)
      return
    }
    try await test.export().take(order, .seen)
    #expect(try await test.outgoing().isEmpty)
    let saved = try #require(try await test.store.order("000000007"))
    #expect(saved.exportState == .held)
    #expect(saved.reason.contains(reason), "\(saved.reason)")
    #expect(try await test.work(test.store.exportQueue) != nil)
    let lines = try await test.store.lines(of: "000000007")
    #expect(lines.map(\.quantity) == [2] && lines.map(\.kind) == [.physical])
    await test.sales.database.close()
  }

  @Test("the shipping's SKU has to be known to the OMS, too")
  func shippingSKU() async throws {
    let test = try TestExport()
    test.world.change { $0.exportedSKUs = [] }
    try await test.export().take(TestExport.order(), .seen)
    #expect(try await test.store.order("000000007")?.reason.contains("SKU \"STANDARD\"") == true)
    test.world.change { $0.exportedSKUs = ["STANDARD"] }
    try await test.export().take(TestExport.order(), .due)
    #expect(try await test.outgoing() == ["create 000000007"])
    await test.sales.database.close()
  }

  @Test("a catalog that is away makes orders wait, and polling goes on")
  func catalogAway() async throws {
    let test = try TestExport()
    test.world.change { $0.isCatalogAway = true }
    let orders = try (1...40).map { try TestExport.order("\($0)") }
    try await test.export().take(seen: orders)
    #expect(test.world.read { $0.lookUps } == 1, "all of a page at once")
    let counts = try await test.sales.database.read { try test.store.counts($0) }
    #expect(counts == [.held: 40])
    #expect(try await test.store.order("1")?.reason.contains("the catalog service does not answer") == true)
    await test.sales.database.close()
  }

  @Test(
    "what waits is tried again when its time comes, more and more seldom; seen again it is left alone, unless it has changed"
  )
  func again() async throws {
    let test = try TestExport()
    test.world.change { $0.exported = [] }
    let export = test.export()
    let held = HeldOrders(export: export, shop: nil)
    try await export.take(TestExport.order(), .seen)
    let item = WorkItem.of("000000007")
    for _ in 0..<2 {
      guard case .again(let pause, let reason) = try await held.attempt(item) else {
        Issue.record("it still waits")
        return
      }
      #expect(pause == .seconds(30) && reason.contains("SKU-9"))
    }
    #expect([0, 1, 4, 5, 60].map { held.pause(after: $0) } == [30, 60, 480, 600, 600].map { .seconds($0) })
    test.world.change { $0.exported = [9] }
    try await export.take(TestExport.order(), .seen)
    #expect(try await test.outgoing().isEmpty, "polling sees it again and again")
    #expect(try await held.attempt(item) == .done)
    #expect(try await test.outgoing() == ["create 000000007"])
    #expect(try await held.attempt(item) == .done)

    test.world.change { $0.exported = [] }
    try await export.take(TestExport.order("8"), .seen)
    test.world.change { $0.exported = [9] }
    try await export.take(TestExport.order("8", ["status": "\"changed\""]), .seen)
    #expect(try await test.outgoing() == ["create 000000007", "create 8"])
    await test.sales.database.close()
  }

  @Test("at the start all that waits is due at once", arguments: TestEngine.allCases)
  func start(engine: TestEngine) async throws {
    let test = try TestExport(engine)
    test.world.change { $0.isCatalogAway = true }
    let count = HeldOrders.batch + 3
    // None becomes due by itself, however slow the machine is.
    let export = test.export(firstPause: .seconds(600))
    try await export.take(seen: (1...count).map { try TestExport.order("\($0)") })
    let queue = test.store.exportQueue
    let claim = {
      try await test.sales.database.write { try queue.claim($0, limit: 1_000, holder: "me", for: .seconds(9)) }
    }
    #expect(try await claim().isEmpty)
    try await HeldOrders(export: export, shop: nil).makeAllDue()
    #expect(try await claim().count == count)
    await test.sales.database.close()
  }

  @Test("an order that the shop has ended before it was sent is forgotten; one that the OMS may have is looked at")
  func ended() async throws {
    let test = try TestExport()
    let export = test.export()
    let ended = ["state": "\"canceled\""]
    #expect(try await export.take(TestExport.order("1", ended), .seen) == .over(state: "canceled"))
    test.world.change { $0.exported = [] }
    try await export.take(TestExport.order("2"), .seen)
    #expect(try await export.take(TestExport.order("2", ended), .seen) == .over(state: "canceled"))
    #expect(try await test.store.order("2") == nil)
    #expect(try await test.store.lines(of: "2").isEmpty)
    test.world.change { $0.exported = [9] }
    try await export.take(TestExport.order("3"), .seen)
    #expect(try await test.work(test.store.orderQueue, "3") == nil)
    try await export.take(TestExport.order("3", ended), .seen)
    #expect(try await test.store.order("3")?.exportState == .sent)
    #expect(try await test.work(test.store.orderQueue, "3") != nil)
    #expect(try await test.outgoing() == ["create 3"])
    await test.sales.database.close()
  }

  @Test("an order on hold in the shop waits, and goes out when it is let go")
  func onHold() async throws {
    let test = try TestExport()
    try await test.export().take(TestExport.order("7", ["state": "\"holded\""]), .asked)
    #expect(
      try await test.store.order("7")?.reason == "it is holded in the shop; it goes out once it is new or processing")
    try await test.export().take(TestExport.order("7", ["state": "\"processing\""]), .seen)
    #expect(try await test.outgoing() == ["create 7"])
    await test.sales.database.close()
  }

  @Test("who asks gets failed and unconfirmed orders sent again, and no accepted one", arguments: ExportState.allCases)
  func asked(state: ExportState) async throws {
    let test = try TestExport()
    var known = order("000000007", state)
    known.attention = "look"
    try await test.sales.add(known)
    let isSent = [.held, .failed, .unconfirmed, .foreign].contains(state)
    try await test.export().take(TestExport.order(), .seen)
    #expect(try await test.outgoing().count == (state == .held ? 1 : 0))
    try await test.export().take(TestExport.order(), .asked)
    #expect(try await test.outgoing().count == (isSent ? 1 : 0))
    let saved = try await test.store.order("000000007")
    #expect(saved?.exportState == (isSent ? .sent : state))
    // Of a foreign one that was of another order.
    #expect(saved?.attention == (state == .foreign ? "" : "look"))
    await test.sales.database.close()
  }

  @Test("the order that an edited one replaces is cancelled at the OMS, once, also while the new one waits")
  func edited() async throws {
    let test = try TestExport()
    try await test.sales.add(order("7", .accepted))
    test.world.change { $0.exported = [] }
    let new = try TestExport.order("7-1", ["relation_parent_real_id": "\"7\""])
    try await test.export().take(new, .seen)
    test.world.change { $0.exported = [9] }
    try await test.export().take(new, .due)
    #expect(try await test.outgoing() == ["cancel 7", "create 7-1"])
    #expect(try await test.store.order("7-1")?.originalOrderID == "7")
    let cancel = try await test.sales.outgoing()[0].message.body
    let params = try Magento.Oms.V1.OrderCancel(json: cancel)
    #expect(params == .init(orderId: "7", salesChannelId: "EU-STORE", user: "replaced by 7-1"))
    await test.sales.database.close()
  }

  @Test("so is the one that is replaced by an order which can't be read at first, and its units count once it can")
  func editedUnreadable() async throws {
    let test = try TestExport()
    try await test.sales.add(order("7", .accepted))
    let intake = OrderIntake(export: test.export())
    let damaged = try JSONDocument(parsing: Array(#"[{"increment_id":"7-1","entity_id":8,"items":5}]"#.utf8))
    try await intake.take(damaged.root.elements ?? [])
    #expect(try await test.store.order("7-1")?.exportState == .held)
    #expect(try await test.outgoing() == [])
    #expect(try await test.work(StockPushRequest.queue, "7-1") == nil)
    let new = try TestExport.order("7-1", ["relation_parent_real_id": "\"7\""])
    for occasion in [ExportOrders.Occasion.due, .due, .seen] { try await test.export().take(new, occasion) }
    #expect(try await test.outgoing() == ["cancel 7", "create 7-1"])
    #expect(try await test.work(StockPushRequest.queue, "7-1") != nil)
    await test.sales.database.close()
  }

  @Test("an order with too many units for a message goes with one line an item")
  func large() async throws {
    let test = try TestExport()
    let name = String(repeating: "\\u0001", count: 1_000)
    let items = (1...15).map {
      #"{"item_id":\#($0),"product_id":9,"product_type":"simple","sku":"M","name":"\#(name)","qty_ordered":50,"row_total":1}"#
    }
    let fields = ["items": "[\(items.joined(separator: ","))]", "grand_total": "20"]
    try await test.export().take(TestExport.order("7", fields), .seen)
    let body = try #require(try await test.sales.outgoing().first?.message.body)
    #expect(body.count < Outbox.maximumBodyBytes)
    let lines = try await test.store.lines(of: "7")
    #expect(lines.map(\.quantity) == Array(repeating: 50, count: 15) + [1])
    await test.sales.database.close()
  }

  @Test("what was sent and not confirmed in time is an operator's case, once")
  func unconfirmed() async throws {
    let test = try TestExport()
    try await test.export().take(TestExport.order(), .seen)
    let check = UnconfirmedOrders(store: test.store, timeout: .seconds(900))
    let sentAt = try #require(try await test.store.order("000000007")?.sentAt)
    #expect(try await check.round(now: sentAt + 900_000_000_000) == 0)
    #expect(try await check.round(now: sentAt + 900_000_000_001) == 1)
    #expect(try await check.round(now: sentAt + 999_000_000_000) == 0)
    #expect(try await test.store.order("000000007")?.needsAttention == true)
    await test.sales.database.close()
  }
}

extension WorkItem {
  /// As a runner has it at the first attempt.
  static func of(_ key: String) -> WorkItem {
    WorkItem(kind: "export", key: key, attempts: 0, addedAt: 0, version: 1, holder: "me")
  }
}
