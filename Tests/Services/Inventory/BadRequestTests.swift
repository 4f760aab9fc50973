import Messages
import RPC
import ServiceKit
import Storage
import Stubs
import Testing

@testable import Inventory

/// What every method of the public API answers to what it can't use: INVALID_ARGUMENT, with the field for programs and the
/// remedy for people (AIP-193).
@Suite("Bad requests")
struct BadRequestTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let method: String
    let field: String
    let call: @Sendable (InventoryCalls) async throws -> Void
    var testDescription: String { "\(method): \(field)" }

    static func apply(_ field: String, _ snapshot: Omsconnector.V1.StockSnapshot?) -> [Case] {
      [
        Case(method: "ApplyStockSnapshot", field: field) {
          _ = try await $0.applyStockSnapshot(.init(snapshot: snapshot))
        },
        Case(method: "StreamStockSnapshots", field: field) {
          _ = try await $0.streamStockSnapshots { try await $0.send(.init(snapshot: snapshot)) }
        },
      ]
    }

    static func get(_ field: String, _ request: Omsconnector.V1.GetStockRequest) -> Case {
      Case(method: "GetStock", field: field) { _ = try await $0.getStock(request) }
    }

    static func update(
      _ field: String, _ snapshot: Omsconnector.V1.SourceStockSnapshot?, id: String = ""
    ) -> Case {
      Case(method: "UpdateSourceStock", field: field) {
        _ = try await $0.updateSourceStock(.init(snapshot: snapshot, requestId: id))
      }
    }

    static func adjust(
      _ field: String, _ adjustment: Omsconnector.V1.SourceStockAdjustment?, id: String = ""
    ) -> Case {
      Case(method: "AdjustSourceStock", field: field) {
        _ = try await $0.adjustSourceStock(.init(adjustment: adjustment, requestId: id))
      }
    }

    static func list(_ field: String, _ request: Omsconnector.V1.ListStockRequest) -> Case {
      Case(method: "ListStock", field: field) { _ = try await $0.listStock(request) }
    }
  }

  private static let long = String(repeating: "x", count: 1_025)

  static let cases: [Case] =
    Case.apply("snapshot", nil)
    + Case.apply("snapshot.aggregate_id", message(.full, of: "", ["a=1"]))
    + Case.apply("snapshot.aggregate_id", message(.full, of: long, ["a=1"]))
    + Case.apply("snapshot.mode", message(.unspecified, ["a=1"]))
    + Case.apply("snapshot.mode", message(.init(rawValue: 7), ["a=1"]))
    + Case.apply("snapshot.created_on", message(.full, at: nil, ["a=1"]))
    + Case.apply("snapshot.created_on", message(.full, at: -1, ["a=1"]))
    + Case.apply("snapshot.created_on", message(.full, at: .max, ["a=1"]))
    + Case.apply("snapshot.stock", message(.full, (0...10_000).map { TestRow("\($0)", 1) }))
    + [
      .get("aggregate_id", .init(sku: "a")), .get("aggregate_id", .init(aggregateId: long, sku: "a")),
      .get("sku", .init(aggregateId: "EU")), .get("sku", .init(aggregateId: "EU", sku: long)),
      .list("aggregate_id", .init()), .list("aggregate_id", .init(aggregateId: long)),
      .list("page_size", .init(aggregateId: "EU", pageSize: -1)),
      .list("page_size", .init(aggregateId: "EU", pageSize: .min)),
      .list("page_token", .init(aggregateId: "EU", pageToken: "garbage")),
      .list("page_token", .init(aggregateId: "EU", pageToken: long)),
      .list("page_token", .init(aggregateId: "EU", pageToken: "\u{1f4a9}")),
      .list("page_token", .init(aggregateId: "EU", pageToken: PageToken.encode(after: "a", of: "US"))),
      .update("snapshot", nil), .update("snapshot.source_id", source(.full, of: "", ["a=1"])),
      .update("snapshot.source_id", source(.full, of: long, ["a=1"])),
      .update("snapshot.mode", source(.unspecified, ["a=1"])),
      .update("snapshot.created_on", source(.full, at: nil, ["a=1"])),
      .update("snapshot.created_on", source(.full, at: .max, ["a=1"])),
      .update("snapshot.stock[1]", source(.nonzero, ["a=1", "b"])),
      .update("request_id", source(.full, ["a=1"]), id: long),
      .adjust("adjustment", nil), .adjust("adjustment.source_id", adjustment(of: "", ["a=1"])),
      .adjust("adjustment.reason", adjustment(reason: "", ["a=1"])),
      .adjust("adjustment.reason", adjustment(reason: long, ["a=1"])),
      .adjust("adjustment.created_on", adjustment(at: nil, ["a=1"])),
      .adjust("adjustment.created_on", adjustment(at: -1, ["a=1"])), .adjust("adjustment.adjustments", adjustment([])),
      .adjust("adjustment.adjustments[1].sku", adjustment(["a=1", "=2"])),
      .adjust("adjustment.adjustments[0].sku", adjustment([TestRow(long, 1)])),
      .adjust("adjustment.adjustments[1].quantity", adjustment(["a=1", "b"])),
      .adjust(
        "adjustment.adjustments[2].quantity", adjustment([TestRow("a", .max), "b=1", TestRow("a", 1)])),
      .adjust("request_id", adjustment(["a=1"]), id: long),
    ]

  @Test("each names its field", arguments: cases)
  func field(_ badRequest: Case) async throws {
    try await withInventory { live in
      let error = await status { try await badRequest.call(live.client) }
      #expect(error?.code == .invalidArgument)
      #expect(error?.fieldViolations.map(\.field) == [badRequest.field])
      let description = try #require(error?.fieldViolations.first?.description)
      #expect(error?.message.contains(description) == true)
    }
  }

  @Test("bytes that are not the message are INVALID_ARGUMENT, too")
  func notTheMessage() async throws {
    try await withInventory { live in
      // The aggregate's id is a text, not a number.
      let method = MethodDescriptor<Google.Protobuf.Timestamp, Omsconnector.V1.GetStockResponse>(
        service: "omsconnector.v1.InventoryService", method: "GetStock", type: .unary)
      let error = await status { _ = try await live.channel.unary(method, .init(seconds: 1, nanos: 1)) }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message.contains("omsconnector.v1.GetStockRequest") == true)
    }
  }

  @Test(
    "what may pass says when to try again",
    arguments: [
      (StorageError.Kind.full, StatusCode.resourceExhausted, "STORE_FULL", Duration.seconds(5)),
      (.overloaded, .resourceExhausted, "STORE_BUSY", .seconds(1)),
      (.locked, .unavailable, "STORE_LOCKED", .seconds(1)),
      (.closed, .unavailable, "REPLICA_STOPPING", .zero),
      (.unavailable, .unavailable, "STORE_UNAVAILABLE", .seconds(5)),
      (.timedOut, .unavailable, "STORE_UNAVAILABLE", .seconds(5)),
      (.outcomeUnknown, .unavailable, "STORE_OUTCOME_UNKNOWN", .seconds(1)),
    ])
  func mayPass(kind: StorageError.Kind, code: StatusCode, reason: String, delay: Duration) {
    let error = RPCError(inventory: StorageError(kind, "the store"))
    #expect(error.code == code)
    #expect(error.retryDelay == delay)
    #expect(error.details.first == .errorInfo(reason: reason, domain: "omsconnector"))
  }

  @Test(
    "what somebody has to mend says nothing of the store, only when to ask again",
    arguments: [StorageError.Kind.corrupt, .cannotOpen, .other])
  func keptInside(kind: StorageError.Kind) {
    let error = RPCError(inventory: StorageError(kind, "store /secret/path"))
    #expect(error.code == .internalError)
    #expect(error.details == [.errorInfo(reason: "STORE_FAILED", domain: "omsconnector"), .retryInfo(.seconds(5))])
    #expect(!error.message.contains("secret"))
    #expect(error.cause is StorageError)
  }
}
