import Messages
import ServiceKit
import Storage

/// Consumes what the OMS says of its sources (messages.md §2, 6). Messages carry no time: the last one to arrive holds, and the daily
/// search puts right what came in another order.
struct SourceMessages: Sendable {
  static let created = "magento.inventory.source_management.created"
  static let updated = "magento.inventory.source_management.updated"
  static let deleted = "magento.inventory.source_management.deleted"

  let store: SourceStore

  var methods: [ConsumedMethod] { [put(Self.created), put(Self.updated), delete] }

  private func put(_ name: String) -> ConsumedMethod {
    ConsumedMethod(name, in: store.database) { request, _ in
      guard let source = try Magento.Oms.V1.SourceUpdated(json: request.body).source else {
        throw SnapshotError("source is missing; send id, name and type in it", field: "source")
      }
      try Self.check(source.id, "source.id")
      return MessageEffect(
        key: source.id, apply: { try SourceStore.put(source, $0, at: WallClock.nanoseconds()) }, result: Self.result)
    }
  }

  private var delete: ConsumedMethod {
    ConsumedMethod(Self.deleted, in: store.database) { request, _ in
      let id = try Magento.Oms.V1.SourceDeleted(json: request.body).sourceId
      try Self.check(id, "source_id")
      return MessageEffect(
        key: id, apply: { try SourceStore.delete(id, $0, at: WallClock.nanoseconds()) }, result: Self.result)
    }
  }

  private static func result() -> [UInt8] { Array("{}".utf8) }

  static func check(_ id: String, _ field: String) throws(SnapshotError) {
    guard !id.isEmpty, id.utf8.count <= SnapshotLimits.aggregateIdBytes, !hasNUL(id) else {
      throw SnapshotError(
        "source \"\(quotable(id))\": \(field) has to have 1 to \(SnapshotLimits.aggregateIdBytes) bytes and no NUL",
        field: field)
    }
  }
}
