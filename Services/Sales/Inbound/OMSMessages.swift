import Commerce
import Messages
import RPC
import ServiceKit
import Storage

/// Consumes the OMS's messages about orders (messages.md §2): each changes the ledger, and what follows from it for the shop is
/// done by ``ShopWork``.
struct OMSMessages: Sendable {
  let store: SalesStore
  /// Told when orders have to be looked at.
  let changed: @Sendable () -> Void

  var methods: [ConsumedMethod] {
    [
      method("magento.sales.order_management.created", OrderUpdate.init(created:)),
      method("magento.sales.order_management.updated", OrderUpdate.init(updated:)),
      method("magento.sales.order_management.line_cancelled", LineCancellation.init),
      method("magento.sales.order_management.custom_attributes_updated", AttributesUpdate.init(order:)),
      method("magento.sales.order_management.line_custom_attributes_updated", AttributesUpdate.init(line:)),
      method("magento.sales.order_management.shipping_address_updated", AddressUpdate.init),
      method(
        "magento.logistics.fulfillment_management.customer_shipment_done",
        request: { try Parcel($0.body, isReplay: $0.replay > 0) }),
      method("magento.common.error_management.created", RefusalNotice.init),
    ]
  }

  private func method<Change: LedgerChange>(
    _ name: String, _ read: @escaping @Sendable ([UInt8]) throws -> Change
  ) -> ConsumedMethod {
    method(name, request: { try read($0.body) })
  }

  private func method<Change: LedgerChange>(
    _ name: String, request read: @escaping @Sendable (Omsconnector.Internal.V1.ConsumeRequest) throws -> Change
  ) -> ConsumedMethod {
    let (store, changed) = (store, changed)
    return ConsumedMethod(name, in: store.database) { request, trace in
      let change = try read(request)
      return MessageEffect(
        weight: change.weight, key: change.incrementID.isEmpty ? nil : change.incrementID,
        apply: { connection in
          let text = try change.apply(to: store, connection, now: WallClock.nanoseconds())
          if !change.incrementID.isEmpty { try store.orderQueue.add(connection, change.incrementID) }
          return text
        },
        result: { Array("{\"message\":\(JSONText.quoted($0))}".utf8) },
        committed: { text in
          Log.info(
            "order message", ["method": "\(name)", "order": "\(quotable(change.incrementID))", "what": "\(text)"],
            trace: trace)
          changed()
        })
    }
  }
}

/// What a message changes about one order.
protocol LedgerChange: Sendable {
  /// Of the order; empty for none.
  var incrementID: String { get }
  /// Rows that it writes, about.
  var weight: Int { get }
  /// Makes the change. An older message than what is there changes nothing.
  ///
  /// - Parameter now: nanoseconds since 1970.
  /// - Returns: what was done, in words.
  /// - Throws: `RPCError`: `notFound` when the order is not there (yet), `invalidArgument` when the message can never be used.
  func apply(to store: SalesStore, _ connection: Connection, now: Int64) throws -> String
}

extension RPCError {
  /// It may come later: a store that was brought back, or a message that has overtaken another.
  static func noOrder(_ id: String) -> RPCError {
    RPCError(
      .notFound,
      "order \"\(quotable(id))\" was never exported from here, and no original_order_id says where it belongs; "
        + "export it with omsctl orders export, then replay the message")
  }
}

/// Bounds of what a message may hold.
enum OrderLimits {
  static let lines = 20_000
  static let idBytes = 200

  /// - Throws: `invalidArgument`.
  static func check(id: String, field: String) throws(RPCError) {
    if id.isEmpty { throw .invalid(field: field, "\(field) is missing; send the order's id") }
    if id.utf8.count > idBytes || hasNUL(id) {
      throw .invalid(
        field: field, "\(field) \"\(quotable(id))\" is no order's id: at most \(idBytes) bytes without NUL")
    }
  }

  static func check(lines count: Int) throws(RPCError) {
    if count > lines { throw .invalid(field: "lines", "an order of \(count) lines; at most \(lines)") }
  }

  /// The OMS's clock may be so far ahead of ours.
  static let clockTolerance: Int64 = 600 * 1_000_000_000

  /// The OMS's time as nanoseconds since 1970; nil when there is none, or none that makes sense. One from the future is none: it
  /// would make all that follows look old.
  static func time(_ text: String) -> Int64? {
    if text.isEmpty { return nil }
    do throws(MessageError) {
      guard let time = try Google.Protobuf.Timestamp(parsing: text).nanosecondsSinceEpoch, time >= 0 else { return nil }
      return time <= WallClock.nanoseconds() + clockTolerance ? time : nil
    } catch {
      return nil
    }
  }

  /// What the OMS says of an order that was never sent is about another one.
  ///
  /// - Throws: `failedPrecondition`.
  static func checkSent(_ order: SalesOrder) throws(RPCError) {
    if order.exportState == .held {
      throw .precondition(
        "ORDER_NOT_SENT",
        "order \(order.incrementID) was never sent to the OMS, it waits here: \(order.reason); once it is sent, replay the message"
      )
    }
  }
}
