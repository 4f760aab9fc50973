import Messages
import RPC
import ServiceKit
import Storage

/// `fulfillment_management.customer_shipment_done`: parcels have left with some lines of an order (messages.md §4.6). It comes
/// before, after and instead of the order's update; a line leaves once.
struct Parcel: LedgerChange {
  let incrementID: String
  let key: String
  /// Whether the key is the request's own, rather than made up of the lines.
  private let hasName: Bool
  private let shipment: Magento.Oms.V1.Shipment
  private let quantities: [ShippedUnits.Aggregated]
  private let isReplay: Bool

  var weight: Int { 4 + shipment.items.count }

  /// - Parameter isReplay: an operator has it consumed once more.
  init(_ body: [UInt8], isReplay: Bool = false) throws {
    self.isReplay = isReplay
    let document = try JSONDocument(parsing: body)
    quantities = try ShippedUnits.Aggregated.all(in: document.root)
    guard let shipment = try ShippedUnits.message(document.root).shipment else {
      throw RPCError.invalid(field: "shipment", "shipment is missing; send the shipment in it")
    }
    try OrderLimits.check(id: shipment.orderId, field: "shipment.order_id")
    try OrderLimits.check(lines: shipment.items.count)
    if shipment.items.isEmpty {
      throw RPCError.invalid(field: "shipment.items", "shipment.items is empty; send the lines that have left")
    }
    incrementID = shipment.orderId
    self.shipment = shipment
    let name = [shipment.shipmentRequestId, shipment.shipmentId, shipment.shimpentId].first { !$0.isEmpty }
    let lines = shipment.items.map { $0.orderLineNumber != 0 ? "\($0.orderLineNumber)" : $0.orderLineId }
    // Some senders name neither: its lines tell it from others then.
    key = String((name ?? "lines \(lines.sorted().joined(separator: " "))").prefix(200))
    hasName = name != nil
  }

  func apply(to store: SalesStore, _ connection: Connection, now: Int64) throws -> String {
    guard let order = try store.order(connection, incrementID) else { throw RPCError.noOrder(incrementID) }
    try OrderLimits.checkSent(order)
    // What has left was known to the OMS, whatever its messages' order.
    if order.exportState != .foreign { try store.markAccepted(connection, incrementID, now: now) }
    var lines = try store.lines(connection, of: incrementID)
    let told = try ShippedUnits(shipment.items, quantities, of: lines, incrementID)
    let new = lines.indices.filter { told.units(of: lines[$0]) > 0 }
    guard !new.isEmpty else { return "all of its lines had left already" }
    if let known = try earlier(told, lines, store, connection) { return "shipment request \(known) was told of before" }
    let parcel = FulfilmentLedger.Shipment(
      key: try freeKey(store, connection), tracks: tracks, isDone: false, isSilent: isReplay)
    for index in new {
      lines[index].ship(
        told.units(of: lines[index]), with: parcel.key, at: OrderLimits.time(shipment.shipmentDate) ?? now)
      if !shipment.sourceId.isEmpty { lines[index].sourceID = shipment.sourceId }
    }
    try store.save(connection, new.map { lines[$0] }, of: incrementID)
    _ = try store.addParcel(connection, of: incrementID, parcel, now: now)
    if order.entityID != 0 {
      for text in packageTexts { try store.addComment(connection, of: incrementID, text) }
    }
    return "\(new.count) lines have left, shipment request \(parcel.key)"
  }

  /// Without line numbers, and of lines with many units, a repetition looks like further units of the same: it is the parcel of that
  /// request with which as many of each have left. What was told, and of which nothing has left, is no obstacle to its being told
  /// again.
  ///
  /// - Returns: the key of the parcel that this message told of before; nil when it is another one.
  private func earlier(
    _ told: ShippedUnits, _ lines: [SalesLine], _ store: SalesStore, _ connection: Connection
  ) throws -> String? {
    let byItem = shipment.items.allSatisfy { $0.orderLineNumber == 0 }
    return try store.parcels(connection, of: incrementID).first { known in
      guard known.key == key || known.key.hasPrefix("\(key) #") else { return false }
      guard told.isWhatLeft(with: known.key, of: lines, byItem: byItem) else { return false }
      // Two parcels of nameless requests may hold the same things.
      return hasName || tracks.isEmpty || known.tracks.isEmpty || tracks == known.tracks
    }?.key
  }

  /// A second message of one request, with other lines, is another parcel.
  private func freeKey(_ store: SalesStore, _ connection: Connection) throws -> String {
    let taken = Set(try store.parcels(connection, of: incrementID).map(\.key))
    if !taken.contains(key) { return key }
    return (2...taken.count + 2).lazy.map { "\(key) #\($0)" }.first { !taken.contains($0) } ?? key
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
