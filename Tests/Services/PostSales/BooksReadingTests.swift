import EventLoop
import HTTP
import Messages
import ServiceKit
import Testing

@testable import Commerce
@testable import PostSales

@Suite("Reading an order's books from the shop")
struct BooksReadingTests {
  /// An order of which one more unit is invoiced behind each of its first readings.
  private static func books(changes: Int) async throws -> (books: Result<ShopBooks, CommerceError>, orders: Int) {
    let orders = Lock(0)
    let server = try HTTPServer(listeningOn: #require(HTTPAddress(parsing: "127.0.0.1:0")), setting: "TEST") {
      request in
      if request.target.contains("/orders/") {
        let seen = orders.withLock { orders in
          defer { orders += 1 }
          return orders
        }
        return .json(
          #"""
          {"entity_id":7,"increment_id":"7","state":"processing","order_currency_code":"EUR","base_currency_code":"EUR",
           "items":[{"item_id":3,"sku":"MUG","qty_ordered":9,"qty_invoiced":\#(min(seen, changes))}]}
          """#)
      }
      let made = orders.withLock { min($0, changes) }
      guard request.target.contains("/invoices"), made > 0 else { return .json(#"{"items":[],"total_count":0}"#) }
      let invoices = (1...made).map { #"{"entity_id":\#($0),"items":[{"order_item_id":3,"qty":1}]}"# }
      return .json(#"{"items":[\#(invoices.joined(separator: ","))],"total_count":\#(made)}"#)
    }
    let client = CommerceClient(url: "http://\(server.address)/", credentials: .bearer(Secret("secret")))
    let result: Result<ShopBooks, CommerceError>
    do {
      result = .success(try await RESTRefundShop(client: client, pageSize: PageSize()).books(ofOrder: 7))
    } catch let error as CommerceError {
      result = .failure(error)
    }
    await server.shutdown(grace: .seconds(1))
    return (result, orders.withLock { $0 })
  }

  @Test("what is invoiced while they are read is in the order as well as in its invoices", arguments: 0..<5)
  func together(changes: Int) async throws {
    let (result, orders) = try await Self.books(changes: changes)
    let books = try result.get()
    #expect(books.order.items.map(\.invoiced) == [Decimal(changes)])
    #expect(books.invoices.flatMap(\.lines).map(\.quantity).sum() == Decimal(changes))
    #expect(orders == changes + 2)
  }

  @Test("an order that changes all the time is read again later")
  func restless() async throws {
    let (result, orders) = try await Self.books(changes: 100)
    let error = #expect(throws: CommerceError.self) { try result.get() }
    #expect(error?.mayPass == true && orders == RESTRefundShop.readings + 1)
  }
}
