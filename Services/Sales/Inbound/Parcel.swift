import Messages
import RPC
import ServiceKit
import Storage

/// `fulfillment_management.customer_shipment_done`: parcels have left with some lines of an order (messages.md §4.6). It comes
/// before, after and instead of the order's update; a line leaves once.
struct Parcel: LedgerChange {
  let incrementID: String
  let key: String
  private let shipment: Magento.Oms.V1.Shipment

  var weight: Int { 4 + shipment.items.count }

  init(_ body: [UInt8]) throws {
    guard let shipment = try Magento.Oms.V1.CustomerShipmentDone(json: body).shipment else {
      throw RPCError.invalid(field: "shipment", "shipment is missing; send the shipment in it")
    }
    try OrderLimits.check(id: shipment.orderId, field: "shipment.order_id")
    try OrderLimits.check(lines: shipment.items.count)
    if shipment.items.isEmpty {
      throw RPCError.invalid(field: "shipment.items", "shipment.items is empty; send the lines that have left")
    }
    incrementID = shipment.orderId
    self.shipment = shipment
    let names = [shipment.shipmentRequestId, shipment.shipmentId, shipment.shimpentId]
    let lines = shipment.items.map { $0.orderLineNumber != 0 ? "\($0.orderLineNumber)" : $0.orderLineId }
    // Some senders name neither: its lines tell it from others then.
    key = String((names.first { !$0.isEmpty } ?? "lines \(lines.sorted().joined(separator: " "))").prefix(200))
  }

  func apply(to store: SalesStore, _ connection: Connection, now: Int64) throws -> String {
    guard let order = try store.order(connection, incrementID) else { throw RPCError.noOrder(incrementID) }
    try OrderLimits.checkSent(order)
    // What has left was known to the OMS, whatever its messages' order.
    if order.exportState != .foreign { try store.markAccepted(connection, incrementID, now: now) }
    var lines = try store.lines(connection, of: incrementID)
    let named = try numbers(in: lines)
    let new = lines.indices.filter { named.contains(lines[$0].number) && lines[$0].shippedAt == nil }
    guard !new.isEmpty else { return "all of its lines had left already" }
    // Without line numbers a repetition looks like further units of the same items.
    if !shipment.items.contains(where: { $0.orderLineNumber != 0 }), try isKnown(store, connection) {
      return "shipment request \(key) was told of before"
    }
    let parcel = FulfilmentLedger.Shipment(key: try freeKey(store, connection), tracks: tracks, isDone: false)
    for index in new {
      lines[index].shippedAt = OrderLimits.time(shipment.shipmentDate) ?? now
      lines[index].shipmentRequestID = parcel.key
      lines[index].cancelledAt = nil
      if !shipment.sourceId.isEmpty { lines[index].sourceID = shipment.sourceId }
    }
    try store.save(connection, new.map { lines[$0] }, of: incrementID)
    _ = try store.addParcel(connection, of: incrementID, parcel, now: now)
    if order.entityID != 0 {
      for text in packageTexts { try store.addComment(connection, of: incrementID, text) }
    }
    return "\(new.count) lines have left, shipment request \(parcel.key)"
  }

  private func isKnown(_ store: SalesStore, _ connection: Connection) throws -> Bool {
    try store.parcels(connection, of: incrementID).contains { $0.key == key }
  }

  /// A second message of one request, with other lines, is another parcel.
  private func freeKey(_ store: SalesStore, _ connection: Connection) throws -> String {
    let taken = Set(try store.parcels(connection, of: incrementID).map(\.key))
    if !taken.contains(key) { return key }
    return (2...taken.count + 2).lazy.map { "\(key) #\($0)" }.first { !taken.contains($0) } ?? key
  }

  /// The lines that have left. Senders that know no line numbers write the item's id: as many of its lines, those first that
  /// are open.
  private func numbers(in lines: [SalesLine]) throws(RPCError) -> Set<Int> {
    var numbers: Set<Int> = []
    let byNumber = Dictionary(lines.map { ($0.number, $0) }) { first, _ in first }
    let byItem = Dictionary(grouping: lines.filter { $0.itemID != 0 }) { "\($0.itemID)" }
    for item in shipment.items {
      let number = Int(item.orderLineNumber)
      if number != 0 {
        guard let line = byNumber[number] else {
          throw .invalid(
            field: "shipment.items.order_line_number",
            "order \(quotable(incrementID)) has no line \(number); it has \(lines.count)")
        }
        if line.itemID != 0 { numbers.insert(number) }
        continue
      }
      if item.orderLineId == "SHIPPING" { continue }
      let ofItem = (byItem[item.orderLineId] ?? []).filter { !numbers.contains($0.number) }
      guard let line = ofItem.first(where: { $0.shippedAt == nil && $0.cancelledAt == nil }) ?? ofItem.first else {
        throw .invalid(
          field: "shipment.items.order_line_id",
          "order \(quotable(incrementID)) has no line with the id \"\(quotable(item.orderLineId))\"")
      }
      numbers.insert(line.number)
    }
    // Bundles leave with their parts.
    return numbers.filter { byNumber[$0]?.kind != .bundle }
  }

  /// One per package that can be tracked.
  private var tracks: [FulfilmentLedger.Track] {
    shipment.packages.prefix(Self.packageLimit).compactMap { package in
      let number = Self.trimmed(package.trackingNumber)
      if number.isEmpty { return nil }
      let carrier = Self.trimmed(package.carrier)
      return .init(
        number: String(number.prefix(255)), title: String((carrier.isEmpty ? "Custom" : carrier).prefix(255)))
    }
  }

  static let packageLimit = 100

  /// The shop has no place for a link to the carrier: it is said on the order.
  private var packageTexts: [String] {
    shipment.packages.prefix(Self.packageLimit).compactMap { package in
      let parts = [package.carrier, package.trackingNumber, package.trackingLink, package.trackingComment]
        .map(Self.trimmed).filter { !$0.isEmpty }
      return package.trackingLink.isEmpty && package.trackingComment.isEmpty
        ? nil : "OMS: parcel of shipment request \(key): \(parts.joined(separator: ", "))"
    }
  }

  private static func trimmed(_ text: String) -> String {
    let inner = text.drop(while: \.isWhitespace)
    return String(inner.reversed().drop(while: \.isWhitespace).reversed())
  }
}
