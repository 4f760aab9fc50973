import Commerce
import EventLoop
import ServiceKit
import TestSupport
import Testing

@testable import Inventory

@Suite("Which SKUs the shop has", .timeLimit(.minutes(1)))
struct ShopProductsTests {
  /// A shop of the simple products `s0` to `s8`, which can't show some.
  private static func shop(
    broken: Set<String>, _ requests: SharedCount
  ) throws -> (server: QueryServer, products: ShopProducts) {
    let server = try QueryServer { target in
      requests.add()
      let asked = QueryServer.parameters(target, "[value]").first?.split(separator: ",").map(String.init) ?? []
      if !broken.isDisjoint(with: asked) { return (500, #"{"message":"Report ID: webapi-1"}"#) }
      let known = asked.filter { $0 != "s9" }
      let items = known.map { #"{"sku":"\#($0)","type_id":"simple"}"# }.joined(separator: ",")
      return (200, #"{"items":[\#(items)],"total_count":\#(known.count)}"#)
    }
    var options = CommerceClient.Options()
    (options.firstPause, options.readTries) = (.milliseconds(1), 1)
    let client = CommerceClient(
      url: "http://127.0.0.1:\(server.port)/", credentials: .bearer(Secret("secret")), options: options)
    return (server, ShopProducts(client))
  }

  private final class SharedCount: Sendable {
    private let count = Lock(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
  }

  private static let skus = (0..<10).map { "s\($0)" }

  @Test("of a product that the shop can't show nothing is said, and of the others what is so", arguments: ["s0", "s5"])
  func broken(sku: String) async throws {
    let (server, products) = try Self.shop(broken: [sku], SharedCount())
    #expect(try await products.problems(of: Self.skus) == ["s9": "the shop has no product with this SKU"])
    server.stop()
  }

  @Test("once the shop has shown another, nothing is said of one that it can't show, also when it is asked for alone")
  func alone() async throws {
    let (server, products) = try Self.shop(broken: ["s5", "s6"], SharedCount())
    await #expect(throws: CommerceError.self) { try await products.problems(of: ["s5"]) }
    #expect(try await products.problems(of: Self.skus) == ["s9": "the shop has no product with this SKU"])
    for skus in [["s5"], ["s5", "s6"], ["s0", "s5"]] { #expect(try await products.problems(of: skus).isEmpty) }
    server.stop()
  }

  @Test("a shop that shows none is asked a few times only, and nothing is known of its products")
  func away() async throws {
    let requests = SharedCount()
    let (server, products) = try Self.shop(broken: Set(Self.skus), requests)
    await #expect(throws: CommerceError.self) { try await products.problems(of: Self.skus) }
    #expect(requests.value < 20)
    server.stop()
  }
}
