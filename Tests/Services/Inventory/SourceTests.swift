import Messages
import ServiceKit
import Storage
import Stubs
import TestSupport
import Testing

@testable import Inventory

@Suite("Sources of the OMS")
struct SourceTests {
  private static func consume(_ live: LiveInventory, _ method: String, _ id: String, _ body: String) async throws {
    _ = try await live.channel.unary(
      Omsconnector.Internal.V1.MessageConsumerServiceMethods.consume,
      .init(deliveryId: "\"\(id)\"", method: method, key: "", body: Array(body.utf8)))
  }

  private static func list(_ live: LiveInventory, size: Int32 = 0) async throws -> [Omsconnector.V1.Source] {
    var sources: [Omsconnector.V1.Source] = []
    var token = ""
    repeat {
      let page = try await live.channel.unary(
        Omsconnector.V1.InventoryServiceMethods.listSources, .init(pageSize: size, pageToken: token))
      sources += page.sources
      token = page.nextPageToken
    } while !token.isEmpty
    return sources
  }

  @Test("what messages say is listed, a deleted one as deleted", arguments: TestEngine.allCases)
  func messages(engine: TestEngine) async throws {
    try await withInventory([engine]) { live in
      for (number, id) in ["b", "a", "c"].enumerated() {
        try await Self.consume(
          live, SourceMessages.created, "d-\(number)",
          #"{"source":{"id":"\#(id)","name":"N\#(number)","type":"Warehouse","aggregate_ids":["EU","US"],"#
            + #""configurations":{"active":true,"capabilities":{"accepts_returns":true}}}}"#)
      }
      try await Self.consume(live, SourceMessages.updated, "d-4", #"{"source":{"id":"a","name":"new","type":"Store"}}"#)
      try await Self.consume(live, SourceMessages.deleted, "d-5", #"{"source_id":"c"}"#)
      try await Self.consume(live, SourceMessages.deleted, "d-6", #"{"source_id":"never seen"}"#)
      let sources = try await Self.list(live, size: 1)
      #expect(sources.map(\.sourceId) == ["a", "b", "c"])
      #expect(sources.map(\.name) == ["new", "N0", "N2"])
      #expect(sources.map(\.deleted) == [false, false, true])
      #expect(sources[1].active && sources[1].acceptsReturns && sources[1].aggregateIds == ["EU", "US"])
      #expect(!sources[0].active)
      let error = await status { try await Self.consume(live, SourceMessages.created, "d-7", #"{"source":{"id":""}}"#) }
      #expect(error?.code == .invalidArgument)
    }
  }

  @Test(
    "a search replaces what is there, but for what a message has said since it began", arguments: TestEngine.allCases)
  func search(engine: TestEngine) async throws {
    try await withInventory([engine]) { live in
      let store = SourceStore(live.stock.database)
      @Sendable func source(_ id: String, _ name: String) -> Magento.Oms.V1.Source { .init(id: id, name: name) }
      try await store.replace(with: [source("a", "1"), source("b", "1")], askedAt: 10, at: 11)
      try await live.stock.database.write { try SourceStore.put(source("a", "2"), $0, at: 21) }
      try await live.stock.database.write { try SourceStore.put(source("new", "2"), $0, at: 21) }
      try await store.replace(with: [source("a", "1"), source("c", "3")], askedAt: 20, at: 22)
      let sources = try await Self.list(live)
      #expect(
        sources.map { "\($0.sourceId) \($0.name)\($0.deleted ? " deleted" : "")" } == [
          "a 2", "b 1 deleted", "c 3", "new 2",
        ])
    }
  }
}

@Suite("The shop against the mapping file")
struct InventoryFindingsTests {
  private static func found(_ targets: [String: PushTarget], _ shop: ShopInventory) -> [String] {
    InventoryCapabilities.findings(targets, shop).map {
      "\($0.check) \(($0.level.name ?? "").replacing("FINDING_LEVEL_", with: ""))"
    }
  }

  @Test("what doesn't fit is found")
  func findings() {
    let shop = PushRouteTests.shop
    #expect(Self.found(["EU": PushTarget(website: "base", source: "berlin")], shop) == ["stock-msi OK"])
    #expect(Self.found(["US": PushTarget(website: "us")], shop) == ["stock-msi OK", "default-stock WARNING"])
    #expect(
      Self.found(
        ["EU": PushTarget(website: "base", source: "oslo"), "NO": PushTarget(website: "none", source: "berlin")], shop)
        == ["stock-msi OK", "stock-target ERROR", "stock-target ERROR"])
    #expect(
      Self.found(["EU": PushTarget(website: "base", source: "rome")], shop) == ["stock-msi OK", "stock-target ERROR"])
    #expect(
      Self.found(["EU": PushTarget(website: "base", source: "berlin")], ShopInventory())
        == ["stock-msi OK", "stock-target WARNING"])
  }
}

@Suite("How pushing goes")
struct PushFindingsTests {
  @Test(
    "what doesn't go well is found, each by itself",
    arguments: [
      (PushStatus(aggregateId: "EU", pending: 5), []),
      (PushStatus(aggregateId: "EU", failed: 2), ["WARNING aggregate EU: the shop refuses 2 SKUs"]),
      (
        PushStatus(aggregateId: "EU", failed: 1, lastError: "away", lostJob: "job-1 was lost"),
        [
          "WARNING aggregate EU: job-1 was lost", "ERROR aggregate EU: away",
          "WARNING aggregate EU: the shop refuses 1 SKUs",
        ]
      ),
    ])
  func findings(status: PushStatus, found: [String]) {
    let said = InventoryCapabilities.findings(status).map {
      "\(($0.level.name ?? "").replacing("FINDING_LEVEL_", with: "")) \($0.message)"
    }
    #expect(said == found)
  }
}

@Suite("Stock from the shop's side")
struct StockOperatorTests {
  private typealias Methods = Omsconnector.V1.InventoryServiceMethods

  @Test("SetStock is refused, naming the owner")
  func setStock() async throws {
    try await withInventory([.sqlite]) { live in
      let error = await status {
        _ = try await live.channel.unary(Methods.setStock, .init(aggregateId: "EU-WEB", sku: "a", quantity: 5))
      }
      #expect(error?.code == .failedPrecondition)
      #expect(error?.message.hasPrefix("the OMS owns stock") ?? false)
    }
  }

  @Test("a frozen SKU takes the next message after its time was reset", arguments: TestEngine.allCases)
  func reset(engine: TestEngine) async throws {
    try await withInventory([engine]) { live in
      try await live.stock.apply(.delta, at: 100, ["a=5"])
      #expect(try await live.stock.apply(.delta, at: 50, ["a=6"]).stale == 1)
      let response = try await live.channel.unary(
        Methods.resetStockTimestamp, .init(aggregateId: "EU-WEB", sku: "a"))
      #expect(response.stock?.quantity == 5)
      #expect(try await live.stock.apply(.delta, at: 50, ["a=6"]).applied == 1)
      let error = await status {
        _ = try await live.channel.unary(Methods.resetStockTimestamp, .init(aggregateId: "EU-WEB", sku: "none"))
      }
      #expect(error?.code == .notFound)
    }
  }

  @Test("PushStock marks the SKUs of aggregates that go to the shop", arguments: TestEngine.allCases)
  func push(engine: TestEngine) async throws {
    try await withInventory([engine]) { live in
      try await live.stock.apply(.full, at: 10, ["a=1", "b=2"])
      func pushed(_ skus: [String], _ aggregate: String = "") async throws -> Int64 {
        try await live.channel.unary(Methods.pushStock, .init(skus: skus, aggregateId: aggregate)).pending
      }
      #expect(try await pushed(["a"]) == 0)
      #expect(await status { _ = try await pushed([], "EU-WEB") }?.code == .failedPrecondition)
      try await live.stock.database.write { try PushQueue.setTargets(["EU-WEB": PushTarget(website: "base")], $0) }
      #expect(try await pushed(["a", "a", "unknown"]) == 1)
      #expect(try await pushed([], "EU-WEB") == 2)
      for (skus, aggregate) in [([], ""), (["a"], "EU-WEB"), ([""], "")] {
        #expect(await status { _ = try await pushed(skus, aggregate) }?.code == .invalidArgument)
      }
      let list = try await live.channel.unary(Methods.listAggregates, .init())
      #expect(list.aggregates.map(\.website) == ["base"] && list.aggregates.map(\.pending) == [1])
    }
  }
}
