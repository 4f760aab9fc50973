import Messages
import ServiceKit
import Storage

/// `error_management.created`: the OMS, or somebody on the bus, could not use a message of this service; the gateway brings none of
/// others'. When that asked for a return, the return needs an operator: the OMS won't answer it.
enum ReturnRefusal {
  /// messages.md §2.
  static let created = "magento.common.error_management.created"

  static func method(in database: Database) -> ConsumedMethod {
    ConsumedMethod(created, in: database) { request, trace in
      let notice = try Magento.Oms.V1.ErrorNotice(json: request.body)
      return MessageEffect(
        apply: { connection -> ReturnRecord? in
          let store = ReturnStore()
          guard var record = try store.find(deliveryID: notice.deliveryId, connection) else { return nil }
          record.refuse(notice.message)
          try store.save(record, connection)
          return record
        },
        result: { Array(#"{"message":\#(JSONText.quoted($0 == nil ? "about no return" : "return refused"))}"#.utf8) },
        committed: { record in
          Log.error(
            "the OMS refused a message",
            [
              "topic": "\(quotable(notice.topic))", "refused": "\(quotable(notice.deliveryId))",
              "return": LogValue(record?.entityID ?? 0), "reason": "\(quotable(notice.message))",
            ], trace: trace)
        })
    }
  }
}
