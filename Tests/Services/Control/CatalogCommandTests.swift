import EventLoop
import Glibc
import Messages
import RPC
import ServiceKit
import Stubs
import Testing

@testable import Control

@Suite("omsctl catalog")
struct CatalogCommandTests {
  private typealias Catalog = Omsconnector.V1.CatalogServiceMethods

  private let mug = Omsconnector.V1.Product(
    sku: "MUG", productId: 7, type: "simple", name: "Mug", status: "ACTIVE", price: .init(value: "12.5"),
    currency: "EUR",
    exportedAt: .init(seconds: 1_706_933_106, nanos: 0))

  @Test("list goes through all pages, and stops at its limit")
  func list() async throws {
    let register: (inout Router) -> Void = { [mug] router in
      router.unary(Catalog.listProducts) { request, _ in
        request.pageToken.isEmpty && request.pageSize != 1
          ? .init(products: [mug], nextPageToken: "next")
          : .init(
            products: [.init(sku: "SHIRT", type: "configurable", status: "INACTIVE")],
            nextPageToken: request.pageSize == 1 ? "next" : "")
      }
    }
    let table = try await run(["catalog", "list"], register)
    #expect(table.code == 0)
    #expect(table.out.contains("MUG") && table.out.contains("12.5 EUR") && table.out.contains("not yet"))
    let json = try await run(["catalog", "list", "--json"], register)
    #expect(json.out.hasPrefix("{\"products\":[{\"sku\":\"MUG\""))
    #expect(json.out.hasSuffix("],\"next_page_token\":\"\"}\n"))
    let limited = try await run(["catalog", "list", "--limit", "1"], register)
    #expect(limited.err.contains("raise --limit"))
  }

  @Test("show says all that is known of a product")
  func show() async throws {
    let shown = try await run(["catalog", "show", "MUG"]) { [mug] router in
      router.unary(Catalog.getProduct) { request, _ in
        #expect(request.sku == "MUG")
        return .init(product: mug)
      }
    }
    #expect(shown.code == 0)
    #expect(shown.out.contains("2024-02-03T04:05:06Z") && shown.out.contains("id in the shop"))
  }

  @Test("named products are read in the shop, a thousand in a request; what failed is shown at its place")
  func export() async throws {
    let requests = Lock<[Int]>([])
    let skus = (1...1_001).map { "P-\($0)" }
    let done = try await run(["catalog", "export"] + skus) { router in
      router.unary(Catalog.upsertProducts) { request, _ in
        requests.withLock { $0.append(request.skus.count) }
        let issues: [Omsconnector.V1.ProductIssue] =
          request.skus.count == 1 ? [.init(sku: request.skus[0], place: 1, reason: "neither")] : []
        return .init(exported: Int64(request.skus.count - issues.count), issues: issues)
      }
    }
    #expect(requests.withLock { $0 } == [1_000, 1])
    #expect(done.code == 1)
    #expect(done.out.contains("1000") && done.out.contains("1001  P-1001"))
  }

  @Test("a full export is followed to its end, with what it waits for", arguments: [(Int64(0), Int32(0)), (2, 1)])
  func full(failed: Int64, code: Int32) async throws {
    let done = try await run(["catalog", "export", "--full"]) { router in
      router.serverStreaming(Catalog.exportFullCatalog) { _, responses, _ in
        try await responses.send(.init(run: 3, state: .running, read: 300, total: 900))
        try await responses.send(.init(run: 3, state: .waiting, read: 300, total: 900, reason: "the shop is away"))
        try await responses.send(
          .init(run: 3, state: .done, read: 900, total: 900, exported: 900 - failed, failed: failed))
      }
    }
    #expect(done.code == code)
    #expect(done.err.contains("waiting: the shop is away"))
    #expect(done.out.contains("RUN") && done.out.contains("900"))
  }

  @Test("who loses a full export is told that it goes on")
  func lost() async throws {
    let done = try await run(["catalog", "export", "--full"]) { router in
      router.serverStreaming(Catalog.exportFullCatalog) { _, responses, _ in
        try await responses.send(.init(run: 3, state: .running, read: 300, total: 900))
        throw RPCError(.unavailable, "stopping")
      }
    }
    #expect(done.code == 1)
    #expect(done.err.contains("goes on without this command"))
  }

  @Test(
    "export takes either --full or SKUs", arguments: [["catalog", "export"], ["catalog", "export", "--full", "MUG"]])
  func usage(arguments: [String]) async throws {
    let done = try await run(arguments) { _ in }
    #expect(done.code == 2)
    #expect(done.err.contains("either --full or SKUs"))
  }

  @Test("held products are shown, and decided by SKU or all, a thousand in a request")
  func held() async throws {
    let waiting: [Omsconnector.V1.HeldProduct] = (1...1_001).map {
      .init(sku: "P-\($0)", productId: Int64($0), name: "Mug", reason: $0 == 1 ? .renamed : .missing, newSku: "CUP")
    }
    let decided = Lock<[Omsconnector.V1.DecideHeldProductsRequest]>([])
    let register: (inout Router) -> Void = { router in
      router.unary(Catalog.listHeldProducts) { request, _ in
        request.pageToken.isEmpty
          ? .init(heldProducts: Array(waiting.prefix(1_000)), nextPageToken: "next")
          : .init(heldProducts: Array(waiting.dropFirst(1_000)))
      }
      router.unary(Catalog.decideHeldProducts) { request, _ in
        decided.withLock { $0.append(request) }
        return .init(deactivated: request.apply ? Int64(request.skus.count) : 0, kept: request.apply ? 0 : 1)
      }
    }
    let shown = try await run(["catalog", "held"], register)
    #expect(shown.code == 0)
    #expect(shown.out.contains("renamed to CUP") && shown.out.contains("missing in the shop"))
    #expect(shown.out.contains("P-1001") && shown.out.contains("decide: omsctl catalog held apply"))
    #expect(try await run(["catalog", "held", "apply", "--all"], register).out.contains("1001"))
    #expect(try await run(["catalog", "held", "keep", "A B"], register).code == 0)
    #expect(decided.withLock { $0.map(\.skus.count) } == [1_000, 1, 1])
    #expect(decided.withLock { $0.map(\.apply) } == [true, true, false])
  }

  @Test(
    "what is decided has to be said",
    arguments: [["drop", "A"], ["apply"], ["apply", "A", "--all"], ["--all"]])
  func heldUsage(arguments: [String]) async throws {
    #expect(try await run(["catalog", "held"] + arguments) { _ in }.code == 2)
  }

  @Test("a file goes in parts, and its bad rows are shown with their lines")
  func importing() async throws {
    let path = "/tmp/omsctl-catalog-\(getpid())-\(UInt32.random(in: .min ... .max)).csv"
    let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: CatalogImportCommand.partBytes + 1)
    let descriptor = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
    #expect(write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
    defer { unlink(path) }
    let done = try await run(["catalog", "import", path]) { router in
      router.clientStreaming(Catalog.importProducts) { requests, _ in
        var parts: [Int] = []
        for try await request in requests { parts.append(request.csv.count) }
        #expect(parts == [CatalogImportCommand.partBytes, 1])
        return .init(
          read: 2, exported: 1, failed: 1, issues: [.init(sku: "MUG", place: 17, reason: "price \"dear\" is no number")]
        )
      }
    }
    #expect(done.code == 1)
    #expect(done.out.contains("LINE") && done.out.contains("17  MUG"))
  }

  @Test("the completion knows the commands")
  func completion() {
    #expect(BashCompletion.script.contains("catalog) _omsctl_offer -W 'list show export import held'"))
    #expect(ControlHelp.of(group: "catalog")?.contains("--full | SKU…") == true)
  }
}
