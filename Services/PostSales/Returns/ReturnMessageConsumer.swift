import Messages
import ServiceKit
import Storage

/// Consumes what the OMS says of returns, and of the attributes of returns and refunds.
struct ReturnMessageConsumer: Sendable {
  /// messages.md §2 and §3.
  static let updated = "magento.postsales.return_management.updated"
  static let attributesUpdated = "magento.postsales.return_management.custom_attributes_updated"
  static let lineAttributesUpdated = "magento.postsales.return_management.line_custom_attributes_updated"
  static let refundAttributesUpdated = "magento.postsales.refund_management.custom_attributes_updated"

  let database: Database
  let store = ReturnStore()
  let refunds = RefundStore()
  /// Told when the shop is behind.
  let due: @Sendable () -> Void

  var methods: [ConsumedMethod] {
    [
      updatedMethod, attributes(Self.attributesUpdated), attributes(Self.lineAttributesUpdated), refundAttributes,
      ReturnRefusal.method(in: database),
    ]
  }

  private var updatedMethod: ConsumedMethod {
    let (store, due) = (store, due)
    return ConsumedMethod(Self.updated, in: database) { request, trace in
      let notice = try ReturnNotice(busParams: request.body)
      let deliveryID = request.deliveryId
      return MessageEffect(
        weight: 2 + notice.lines.count, key: notice.incrementID,
        apply: { connection in
          var record = try store.match(notice, connection) ?? ReturnRecord(blind: notice, now: WallClock.nanoseconds())
          guard record.incrementID == notice.incrementID else {
            throw PostSalesError(
              "return \(quotable(notice.rma)) was of order \(record.incrementID), and is now said to be of "
                + "\(quotable(notice.incrementID))", field: "return.order_id")
          }
          record.take(notice)
          try store.save(record, connection)
          try ReturnWork.queue.add(connection, record.key)
          return record
        },
        result: { Array(Omsconnector.V1.Return($0).json(writesDefaults: true).utf8) },
        committed: { record in
          due()
          Log.info(
            "return received",
            [
              "delivery_id": .deliveryID(deliveryID), "rma": "\(record.rma)", "order": "\(record.incrementID)",
              "status": "\(quotable(notice.statusCode))", "blind": LogValue(record.isBlind),
            ], trace: trace)
        })
    }
  }

  /// What the OMS has set of a return, or of a line of it: kept, and told in a comment of the shop's return.
  private func attributes(_ name: String) -> ConsumedMethod {
    let (store, due) = (store, due)
    return ConsumedMethod(name, in: database) { request, _ in
      let change = try AttributeChange(busParams: request.body)
      return MessageEffect(
        key: change.incrementID,
        apply: { connection in
          guard var record = try store.find(rma: change.id, connection) else {
            throw PostSalesError("no return \(quotable(change.id)) is known", field: "rma")
          }
          record.attributes.merge(change.attributes)
          try store.save(record, connection)
          try ReturnWork.queue.add(connection, record.key)
        }, result: { Array("true".utf8) }, committed: { due() })
    }
  }

  private var refundAttributes: ConsumedMethod {
    let refunds = refunds
    return ConsumedMethod(Self.refundAttributesUpdated, in: database) { request, _ in
      let change = try AttributeChange(busParams: request.body)
      return MessageEffect(
        key: change.incrementID,
        apply: { connection in
          guard var record = try refunds.refund(change.id, connection) else {
            throw PostSalesError("no refund \(quotable(change.id)) is known", field: "credit_note_number")
          }
          record.attributes.merge(change.attributes)
          try refunds.save(record, connection)
        }, result: { Array("true".utf8) })
    }
  }
}

/// Attributes that the OMS has set (messages.md §4.5, by analogy with those of orders).
struct AttributeChange: Equatable {
  /// Of the return, or of the refund.
  var id: String
  var incrementID: String
  /// Of one line its number stands before the name.
  var attributes: [Attribute]

  init(busParams json: [UInt8]) throws {
    let root = try JSONDocument(parsing: json).root
    guard let change = root["custom_attributes_modification"] ?? root["line_custom_attributes_modification"] else {
      throw PostSalesError("custom_attributes_modification is missing", field: "custom_attributes_modification")
    }
    incrementID = change.text(of: "order_id")
    id = change.text(of: "rma").isEmpty ? change.text(of: "credit_note_number") : change.text(of: "rma")
    try PostSalesError.check(id, "custom_attributes_modification.rma")
    let line = change.text(of: "line_number")
    attributes = Attribute.list(change["custom_attributes"]).map {
      line.isEmpty || line == "0" ? $0 : Attribute(name: "line \(line) \($0.name)", value: $0.value)
    }
  }
}
