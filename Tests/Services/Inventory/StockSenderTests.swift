import Commerce
import EventLoop
import HTTP
import Messages
import Testing

@testable import Inventory

@Suite("Sending stock to the shop", .timeLimit(.minutes(1)))
struct StockSenderTests {
  static func rows(_ skus: [String], isManaged: Bool? = nil) -> [PushedStock] {
    skus.map { sku in
      PushedStock(
        row: DueStock(sku: sku, version: 1, quantity: 5, unlimited: isManaged == false), quantity: 5,
        isManaged: isManaged)
    }
  }

  static func refusal(_ message: String) -> HTTPResponse {
    .json(status: 400, #"{"message":"\#(message)"}"#)
  }

  private static let route = PushRoute.source(code: "berlin", websites: ["base"])

  @Test("one bad row is singled out, in at most twice as many requests as there are rows", arguments: [0, 7, 19])
  func bisects(bad: Int) async throws {
    let skus = (0..<20).map { "s\($0)" }
    let shop = try ScriptedShop { request in
      request.skus.contains("s\(bad)") ? Self.refusal("Validation Failed") : .json("[]")
    }
    let sent = await StockSender(client: shop.client, limits: PushLimits()).send(Self.rows(skus), Self.route)
    #expect(sent.done.map(\.row.sku) == skus.filter { $0 != "s\(bad)" })
    #expect(sent.failed.map(\.row.sku) == ["s\(bad)"] && sent.failed[0].reason == "Validation Failed")
    #expect(sent.stopped == nil)
    #expect(shop.requests.count <= 40)
    await shop.stop()
  }

  @Test("when all rows are bad, each is named, and it ends")
  func allBad() async throws {
    let shop = try ScriptedShop { _ in Self.refusal("no") }
    let sent = await StockSender(client: shop.client, limits: PushLimits()).send(
      Self.rows((0..<20).map { "s\($0)" }), Self.route)
    #expect(sent.failed.count == 20 && sent.done.isEmpty)
    #expect(shop.requests.count == 39)
    await shop.stop()
  }

  @Test("a body that is too large for the shop is cut to what it takes, from then on")
  func limit() async throws {
    let shop = try ScriptedShop { request in
      request.skus.count > 20
        ? .json(
          status: 400,
          #"{"message":"Maximum items of type \"%type\" is %max","parameters":{"type":"sourceItems","max":20}}"#)
        : .json("[]")
    }
    let limits = PushLimits()
    let sender = StockSender(client: shop.client, limits: limits)
    let sent = await sender.send(Self.rows((0..<50).map { "s\($0)" }), Self.route)
    #expect(sent.done.count == 50 && sent.stopped == nil)
    #expect(shop.requests.map(\.skus.count) == [50, 20, 20, 10])
    #expect(limits.rows == 20)
    await shop.stop()
  }

  @Test("an answer that is lost is read back; what the shop doesn't show goes again later")
  func lostAnswer() async throws {
    let shop = try ScriptedShop { request in
      switch request.method {
      case "POST": HTTPResponse(status: 500)
      default:
        .json(
          #"{"items":[{"sku":"a","source_code":"berlin","quantity":5,"status":1},{"sku":"b","quantity":4,"status":1}],"total_count":2}"#
        )
      }
    }
    let sent = await StockSender(client: shop.client, limits: PushLimits()).send(
      Self.rows(["a", "b", "c"]), Self.route)
    #expect(sent.done.map(\.row.sku) == ["a"] && sent.failed.isEmpty)
    #expect((sent.stopped?.error as? CommerceError)?.kind == .failed)
    await shop.stop()
  }

  @Test("a save that failed says nothing of the row: it is tried again")
  func couldNotSave() async throws {
    let shop = try ScriptedShop { _ in Self.refusal("Could not save Source Item") }
    let sent = await StockSender(client: shop.client, limits: PushLimits()).send(Self.rows(["a", "b"]), Self.route)
    #expect(sent.failed.isEmpty && sent.done.isEmpty && sent.stopped != nil)
    await shop.stop()
  }

  @Test(
    "a row that the shop fails on is singled out when it is looked for, and named; the others go",
    arguments: [
      HTTPResponse.json(status: 500, #"{"message":"Report ID: webapi-1"}"#),
      .json(status: 400, #"{"message":"Could not save Source Item"}"#),
    ], [0, 7, 19])
  func singlesOut(answer: HTTPResponse, bad: Int) async throws {
    let skus = (0..<20).map { "s\($0)" }
    let shop = try ScriptedShop { request in
      if request.method == "GET" { return .json(#"{"items":[],"total_count":0}"#) }
      return request.skus.contains("s\(bad)") ? answer : .json("[]")
    }
    var sender = StockSender(client: shop.client, limits: PushLimits())
    let stopped = await sender.send(Self.rows(skus), Self.route)
    #expect(stopped.failed.isEmpty && stopped.done.isEmpty == (answer.status == 500 || bad == 0))
    #expect(stopped.stopped?.description.contains(answer.status == 500 ? "from SKU \"s0\"" : "s\(bad)") == true)
    sender.singlesOut = true
    let sent = await sender.send(Self.rows(skus), Self.route)
    #expect(Set(sent.done.map(\.row.sku)) == Set(skus).subtracting(["s\(bad)"]) && sent.stopped == nil)
    #expect(sent.failed.map(\.row.sku) == ["s\(bad)"])
    #expect(sent.failed[0].reason.contains("\(answer.status)"))
    await shop.stop()
  }

  @Test("a row on which the shop only fails once goes when it is asked again", arguments: [true, false])
  func deadlock(hasSources: Bool) async throws {
    let failed = Lock(Set<String>())
    let shop = try ScriptedShop { request in
      if request.method == "GET" { return .json(#"{"items":[],"total_count":0}"#) }
      let isAboutB = request.skus == ["b"] || request.route.contains("/b/")
      let isFirst = isAboutB && failed.withLock { $0.insert("b").inserted }
      return isFirst || request.skus.count > 1 ? .json(status: 500, #"{"message":"Deadlock found"}"#) : .json("[]")
    }
    var sender = StockSender(client: shop.client, limits: PushLimits())
    sender.singlesOut = true
    let sent = await sender.send(Self.rows(["a", "b", "c"]), hasSources ? Self.route : .stockItem)
    #expect(Set(sent.done.map(\.row.sku)) == ["a", "b", "c"] && sent.failed.isEmpty && sent.stopped == nil)
    await shop.stop()
  }

  @Test("without sources such a row is passed over, too")
  func singlesOutItem() async throws {
    let shop = try ScriptedShop { request in
      request.route.contains("/a/") ? .json(status: 500, #"{"message":"no"}"#) : .json("1")
    }
    var sender = StockSender(client: shop.client, limits: PushLimits())
    sender.singlesOut = true
    let sent = await sender.send(Self.rows(["a", "b", "c"]), .stockItem)
    #expect(sent.done.map(\.row.sku) == ["b", "c"] && sent.failed.map(\.row.sku) == ["a"] && sent.stopped == nil)
    await shop.stop()
  }

  @Test(
    "a shop that takes nothing at all fails no row, and is soon left alone", arguments: [1, 20, 100], [true, false])
  func broken(rows: Int, hasSources: Bool) async throws {
    let shop = try ScriptedShop { _ in .json(status: 500, #"{"message":"no"}"#) }
    var sender = StockSender(client: shop.client, limits: PushLimits())
    sender.singlesOut = true
    let route = hasSources ? Self.route : .stockItem
    let sent = await sender.send(Self.rows((0..<rows).map { "s\($0)" }), route)
    #expect(sent.failed.isEmpty && sent.done.isEmpty && sent.stopped != nil)
    if rows == 1 { #expect(sent.stopped?.description.contains("SKU \"s0\":") == true) }
    #expect(shop.requests.count(where: { $0.method != "GET" }) <= StockSender.failureLimit)
    await shop.stop()
  }

  @Test("what the shop saved though it failed afterwards has gone through")
  func savedAllTheSame() async throws {
    let shop = try ScriptedShop { request in
      if request.method == "GET" {
        return .json(
          #"{"items":[{"sku":"a","source_code":"berlin","quantity":5,"status":1}],"total_count":1}"#)
      }
      return request.skus.contains("a") ? .json(status: 500, #"{"message":"no"}"#) : .json("[]")
    }
    var sender = StockSender(client: shop.client, limits: PushLimits())
    sender.singlesOut = true
    let sent = await sender.send(Self.rows(["a", "b"]), Self.route)
    #expect(Set(sent.done.map(\.row.sku)) == ["a", "b"] && sent.failed.isEmpty && sent.stopped == nil)
    await shop.stop()
  }

  @Test("unlimited products are not counted, and as configured again when they aren't unlimited any more")
  func managed() async throws {
    let shop = try ScriptedShop { _ in .json("1") }
    let sender = StockSender(client: shop.client, limits: PushLimits())
    _ = await sender.send(Self.rows(["a b/c"], isManaged: false), Self.route)
    _ = await sender.send(Self.rows(["d"], isManaged: true), .stockItem)
    #expect(
      shop.requests.map(\.route) == [
        "V1/inventory/source-items", "V1/products/a b/c/stockItems/1", "V1/products/d/stockItems/1",
      ])
    #expect(shop.requests[1].body == #"{"stockItem":{"manage_stock":false,"use_config_manage_stock":false}}"#)
    #expect(shop.requests[2].body == #"{"stockItem":{"qty":5,"is_in_stock":true,"use_config_manage_stock":true}}"#)
    await shop.stop()
  }

  @Test("without sources a product that the shop doesn't have is named, and the others go")
  func unknownProduct() async throws {
    let shop = try ScriptedShop { request in
      request.route.contains("/b/") ? .json(status: 404, #"{"message":"no such"}"#) : .json("1")
    }
    let sent = await StockSender(client: shop.client, limits: PushLimits()).send(
      Self.rows(["a", "b", "c"]), .stockItem)
    #expect(sent.done.map(\.row.sku) == ["a", "c"] && sent.failed.map(\.row.sku) == ["b"])
    await shop.stop()
  }
}
