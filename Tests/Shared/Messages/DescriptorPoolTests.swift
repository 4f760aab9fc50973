import Messages
import Testing

@Suite("The descriptor pool")
struct DescriptorPoolTests {
  @Test(
    "a symbol of any kind leads to its file",
    arguments: [
      ("omsconnector.v1.InventoryService", "omsconnector/v1/inventory_service.proto"),
      ("omsconnector.v1.InventoryService.GetStock", "omsconnector/v1/inventory_service.proto"),
      (".omsconnector.v1.Stock", "omsconnector/v1/stock.proto"),
      ("omsconnector.v1.Stock.sku", "omsconnector/v1/stock.proto"),
      ("omsconnector.v1.StockItem.quantity_value", "omsconnector/v1/stock.proto"),
      ("omsconnector.v1.SNAPSHOT_MODE_FULL", "omsconnector/v1/stock.proto"),
      ("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"),
      ("google.protobuf.Timestamp", "google/protobuf/timestamp.proto"),
      ("omsconnector.v1.Nothing", nil), ("", nil),
    ] as [(String, String?)])
  func symbols(symbol: String, file: String?) {
    #expect(DescriptorPool.file(containing: symbol)?.name == file)
  }

  @Test("every import of a file is there, and its bytes begin with its name")
  func files() {
    for file in DescriptorPool.files {
      #expect(DescriptorPool.file(named: file.name)?.serialized == file.serialized)
      #expect(file.serialized.starts(with: field(1, Array(file.name.utf8))))
      for dependency in file.dependencies { #expect(DescriptorPool.file(named: dependency) != nil) }
    }
    #expect(DescriptorPool.file(named: "no/such.proto") == nil)
    let inventory = DescriptorPool.file(named: "omsconnector/v1/inventory_service.proto")
    #expect(inventory?.dependencies == ["google/protobuf/timestamp.proto", "omsconnector/v1/stock.proto"])
  }

  @Test("a method's path, streaming and idempotency are known by its service's name")
  func services() throws {
    let service = try #require(DescriptorPool.service(named: "omsconnector.v1.InventoryService"))
    #expect(
      service.methods.map(\.name) == [
        "ApplyStockSnapshot", "StreamStockSnapshots", "GetStock", "ListStock", "UpdateSourceStock", "AdjustSourceStock",
        "SetStock", "ExplainStock", "ResetStockTimestamp", "ListHeldSnapshots", "DecideHeldSnapshot", "PushStock",
        "ListAggregates", "ListSources",
      ])
    let method = service.methods[1]
    #expect(method.path == "/omsconnector.v1.InventoryService/StreamStockSnapshots")
    #expect(method.request == "omsconnector.v1.StreamStockSnapshotsRequest")
    #expect(method.isClientStreaming && !method.isServerStreaming)
    #expect(
      service.methods.map(\.idempotency) == [
        .idempotent, .idempotent, .noSideEffects, .noSideEffects, .idempotent, .unknown, .idempotent, .noSideEffects,
        .idempotent, .noSideEffects, .idempotent, .idempotent, .noSideEffects, .noSideEffects,
      ])
    #expect(DescriptorPool.service(named: "omsconnector.v1.InventoryService2") == nil)
  }
}
