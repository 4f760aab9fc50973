import RPC
import ServiceKit
import Testing

@Suite("Pages that clients ask for")
struct PageRequestTests {
  @Test(
    "a page has as many rows as are asked for, within its limits",
    arguments: [(0, 100), (1, 1), (1_000, 1_000), (1_001, 1_000), (.max, 1_000)] as [(Int32, Int)])
  func sizes(size: Int32, limit: Int) throws {
    let request = try PageRequest(size: size, token: "", of: "products")
    #expect(request.limit == limit && request.place.isEmpty)
    #expect(try request.timedPlace() == nil)
  }

  @Test("pages follow each other, and the last names none")
  func pages() throws {
    let first = try PageRequest(size: 2, token: "", of: "products")
    let (rows, next) = first.page(["A", "B", "C"]) { $0 }
    #expect(rows == ["A", "B"])
    let second = try PageRequest(size: 2, token: next, of: "products")
    #expect(second.place == "B")
    #expect(second.page(["C", "D"]) { $0 }.next.isEmpty)
  }

  @Test("a place in time keeps its key, blanks included")
  func timed() throws {
    let token = try PageRequest(size: 0, token: "", of: "orders").token(after: PageRequest.timed(-7, "0000 1"))
    let place = try #require(try PageRequest(size: 0, token: token, of: "orders").timedPlace())
    #expect(place == (-7, "0000 1"))
  }

  @Test("a place that is none of its list is said as the token that the client sent, not as what that holds")
  func foreign() throws {
    let token = try PageRequest(size: 0, token: "", of: "orders").token(after: "internal")
    let request = try PageRequest(size: 0, token: token, of: "orders")
    for body in [{ _ = try request.timedPlace() }, { _ = try request.place { Int64($0) } }] as [() throws -> Void] {
      let error = #expect(throws: RPCError.self) { try body() }
      #expect(error?.message.contains(token) == true && error?.message.contains("internal") == false)
    }
    #expect(try request.place { $0.count } == 8)
    #expect(try PageRequest(size: 0, token: "", of: "orders").place { Int64($0) } == nil)
  }

  @Test("what is wrong is said with its field")
  func problems() throws {
    let token = try PageRequest(size: 0, token: "", of: "orders").token(after: "1000")
    let wrong: [(field: String, body: () throws -> Void)] = [
      ("page_size", { _ = try PageRequest(size: -1, token: "", of: "orders") }),
      ("page_token", { _ = try PageRequest(size: 0, token: "x", of: "orders") }),
      ("page_token", { _ = try PageRequest(size: 0, token: token, of: "products") }),
      ("page_token", { _ = try PageRequest(size: 0, token: token, of: "orders").timedPlace() }),
    ]
    for (field, body) in wrong {
      let error = #expect(throws: RPCError.self) { try body() }
      #expect(error?.message.hasPrefix(field) == true)
    }
  }
}
