import EventLoop
import HTTP
import Messages
import ServiceKit
import Testing

@testable import Commerce

/// A shop that answers each request with what the test says.
private final class ScriptedShop: Sendable {
  private let server: HTTPServer
  private let count = SharedCount()
  let client: CommerceClient

  init(_ answers: [HTTPResponse], tries: Int = 3) throws {
    let count = count
    server = try HTTPServer(listeningOn: #require(HTTPAddress(parsing: "127.0.0.1:0")), setting: "TEST") { _ in
      let number = count.next()
      return number < answers.count ? answers[number] : HTTPResponse(status: 418)
    }
    var options = CommerceClient.Options()
    options.firstPause = .milliseconds(1)
    options.readTries = tries
    client = CommerceClient(url: "http://\(server.address)/", credentials: .bearer(Secret("secret")), options: options)
  }

  var requests: Int { count.value }

  func stop() async { await server.shutdown(grace: .seconds(1)) }
}

private final class SharedCount: Sendable {
  private let count = Lock(0)
  var value: Int { count.withLock { $0 } }
  func next() -> Int {
    count.withLock { count in
      defer { count += 1 }
      return count
    }
  }
}

private func page(_ ids: Range<Int>, total: Int) -> HTTPResponse {
  .json("{\"items\":[\(ids.map { "{\"entity_id\":\($0)}" }.joined(separator: ","))],\"total_count\":\(total)}")
}

@Suite("Searching the shop", .timeLimit(.minutes(1)))
struct SearchTests {
  private func readAll(_ shop: ScriptedShop, pageSize: PageSize = PageSize()) async throws -> [Int64] {
    var pages: [Int64] = []
    try await shop.client.readAll("V1/orders", SearchCriteria(), pageSize: pageSize) { pages.append($1) }
    await shop.stop()
    return pages
  }

  @Test("of one order no more documents are read than the limit", arguments: [5, 4])
  func documents(limit: Int) async throws {
    let shop = try ScriptedShop([page(1..<4, total: 5), page(4..<6, total: 2)])
    let result: Result<[Int64?], any Error>
    do {
      result = .success(
        try await shop.client.documents("V1/invoices", ofOrder: 7, pageSize: PageSize(), limit: limit) {
          $0["entity_id"].flatMap { Int64($0.text) }
        })
    } catch {
      result = .failure(error)
    }
    await shop.stop()
    guard limit == 4 else {
      #expect(try result.get() == [1, 2, 3, 4, 5])
      return
    }
    let error = #expect(throws: CommerceError.self) { try result.get() }
    #expect(error?.kind == .unreadable && error?.message == "order 7 has more than 4 of them")
  }

  @Test("pages follow each other by id, until one holds all that is left")
  func pages() async throws {
    let shop = try ScriptedShop([page(1..<4, total: 5), page(4..<6, total: 2)])
    #expect(try await readAll(shop) == [3, 5])
    #expect(shop.requests == 2)
  }

  @Test("nothing found is no page")
  func empty() async throws {
    #expect(try await readAll(try ScriptedShop([.json(#"{"items":[],"total_count":0}"#)])) == [])
    #expect(try await readAll(try ScriptedShop([.json(#"{"items":null,"total_count":0}"#)])) == [])
  }

  @Test(
    "an answer that would make the reading go on for ever, or end too early, is an error",
    arguments: [
      #"{"items":[{"entity_id":0}],"total_count":9}"#, #"{"items":[{}],"total_count":9}"#,
      #"{"items":[],"total_count":3}"#,
      #"{"items":[{"entity_id":1}]}"#, #"[]"#, "<html>", "",
    ])
  func unreadable(body: String) async throws {
    let shop = try ScriptedShop([.json(body)])
    let error = await #expect(throws: CommerceError.self) { try await readAll(shop) }
    #expect(error?.kind == .unreadable)
  }

  @Test("a page size that the shop refuses is lowered to what it allows, and stays so")
  func pageSizeRefused() async throws {
    let refusal = HTTPResponse.json(
      status: 400, #"{"message":"Maximum SearchCriteria pageSize is %1","parameters":[20]}"#)
    let size = PageSize(300)
    let shop = try ScriptedShop([refusal, page(1..<3, total: 2)])
    #expect(try await readAll(shop, pageSize: size) == [2])
    #expect(size.current == 20)
  }

  @Test("numbered pages are as large as the shop allows")
  func numberedPageSizeRefused() async throws {
    let refusal = HTTPResponse.json(
      status: 400, #"{"message":"Maximum SearchCriteria pageSize is %1","parameters":[2]}"#)
    let shop = try ScriptedShop([refusal, page(1..<3, total: 3), page(3..<4, total: 3)])
    #expect(try await shop.client.readNumberedPages("V1/inventory/sources").count == 3)
    #expect(shop.requests == 3)
    await shop.stop()
  }

  @Test("a page that the shop can't answer is asked for in smaller ones")
  func pageTooLarge() async throws {
    let size = PageSize(40)
    let shop = try ScriptedShop(
      [HTTPResponse(status: 500), HTTPResponse(status: 500), page(1..<3, total: 2)], tries: 1)
    #expect(try await readAll(shop, pageSize: size) == [2])
    #expect(size.current == 10)
  }

  @Test("a page that is more than can be read is asked for in smaller ones")
  func pageUnreadable() async throws {
    let size = PageSize(40)
    let manyFields = "[\(Array(repeating: "0", count: 500_001).joined(separator: ","))]"
    let tooMuch = HTTPResponse.json(#"{"items":\#(manyFields),"total_count":2}"#)
    let shop = try ScriptedShop([tooMuch, page(1..<3, total: 2)], tries: 1)
    #expect(try await readAll(shop, pageSize: size) == [2])
    #expect(size.current == 20)
  }

  @Test("a shop that was only away gets whole pages again; what it refuses, it never does")
  func pageSizeRaised() {
    let size = PageSize(300)
    let away = CommerceError(.noAnswer, request: "GET V1/orders", "timed out")
    #expect(size.lower(after: away, from: 300) && size.lower(after: away, from: 150) && size.current == 75)
    #expect(size.lower(after: .init(.refused, request: "GET V1/orders", "Maximum pageSize is 100"), from: 300))
    for _ in 1...4 { size.answered(75) }
    #expect(size.current == 75)
    size.answered(75)
    for _ in 1...50 { size.answered(size.current) }
    #expect(size.current == 100)
  }

  @Test("a read is tried again a few times, but not without a right")
  func retries() async throws {
    let shop = try ScriptedShop([HTTPResponse(status: 500), HTTPResponse(status: 429), .json("{}")])
    let page: Magento.Commerce.V1.OrderPage = try await shop.client.get("V1/orders")
    #expect(page.items.isEmpty && shop.requests == 3)
    await shop.stop()

    let away = try ScriptedShop(Array(repeating: HTTPResponse(status: 500), count: 9))
    await #expect(throws: CommerceError.self) { try await away.client.getJSON("V1/orders") }
    #expect(away.requests == 3)
    await away.stop()

    let closed = try ScriptedShop([HTTPResponse(status: 401), .json("{}")])
    await #expect(throws: CommerceError.self) { try await closed.client.getJSON("V1/orders") }
    #expect(closed.requests == 1)
    await closed.stop()
  }

  @Test("a write is sent once", arguments: [500, 503, 429, 401, 400])
  func writes(status: Int) async throws {
    let shop = try ScriptedShop([HTTPResponse(status: status), .json("true")])
    await #expect(throws: CommerceError.self) { try await shop.client.sendEmpty("POST", "V1/orders/1/cancel") }
    #expect(shop.requests == 1)
    await shop.stop()
  }

  @Test("criteria are Magento's query")
  func criteria() {
    let criteria = SearchCriteria()
      .where(.init("state", .eq, "new"), .init("state", .eq, "processing"))
      .where("entity_id", .gt, "7").sorted(by: "entity_id").selecting("items[entity_id],total_count")
    #expect(
      criteria.query.map { "\($0.name)=\($0.value)" } == [
        "searchCriteria[filter_groups][0][filters][0][field]=state",
        "searchCriteria[filter_groups][0][filters][0][condition_type]=eq",
        "searchCriteria[filter_groups][0][filters][0][value]=new",
        "searchCriteria[filter_groups][0][filters][1][field]=state",
        "searchCriteria[filter_groups][0][filters][1][condition_type]=eq",
        "searchCriteria[filter_groups][0][filters][1][value]=processing",
        "searchCriteria[filter_groups][1][filters][0][field]=entity_id",
        "searchCriteria[filter_groups][1][filters][0][condition_type]=gt",
        "searchCriteria[filter_groups][1][filters][0][value]=7",
        "searchCriteria[sortOrders][0][field]=entity_id", "searchCriteria[sortOrders][0][direction]=ASC",
        "fields=items[entity_id],total_count",
      ])
    #expect(SearchCriteria().query.map(\.name) == ["searchCriteria"])
  }
}
