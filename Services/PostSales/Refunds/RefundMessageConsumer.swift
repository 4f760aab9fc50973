import Messages
import ServiceKit
import Storage

/// Consumes what the OMS says of refunds: the refund is in the store, and due where it is released, when the message is answered.
struct RefundMessageConsumer: Sendable {
  /// messages.md §2: refunds, from the OMS to the shop.
  static let updated = "magento.postsales.refund_management.updated"

  let database: Database
  let store = RefundStore()
  /// Told when an order has refunds to be made.
  let due: @Sendable () -> Void

  var method: ConsumedMethod {
    let (database, store, due) = (database, store, due)
    return ConsumedMethod(Self.updated, in: database) { request, trace in
      let notice = try RefundNotice(busParams: request.body, isReplay: request.replay > 0)
      let deliveryID = request.deliveryId
      return MessageEffect(
        weight: 2 + notice.lines.count, key: notice.incrementID, apply: { try Self.take(notice, store, $0) },
        result: { Array(Omsconnector.V1.Refund($0).json(writesDefaults: true).utf8) },
        committed: { record in
          if record.state == .due { due() }
          Log.info(
            "refund received",
            [
              "delivery_id": .deliveryID(deliveryID), "credit_note": "\(record.creditNote)",
              "order": "\(record.incrementID)", "status": "\(quotable(notice.statusCode))",
              "amount": "\(record.amount)", "state": "\(record.state)",
            ], trace: trace)
        })
    }
  }

  private static func take(
    _ notice: RefundNotice, _ store: RefundStore, _ connection: Connection
  ) throws -> RefundRecord {
    let now = WallClock.nanoseconds()
    let known = try store.refund(notice.creditNote, connection)
    if let known, known.incrementID != notice.incrementID {
      throw PostSalesError(
        "credit note \(quotable(notice.creditNote)) was of order \(known.incrementID), and is now said to be of "
          + "\(quotable(notice.incrementID)); a number stands for one refund", field: "refund.order_id")
    }
    var record = known ?? RefundRecord(notice, now: now)
    let isChanged = record.take(notice, now: now)
    guard isChanged || known == nil else { return record }
    try store.save(record, connection)
    if record.state == .due { try RefundWork.queue.add(connection, record.incrementID) }
    return record
  }
}
