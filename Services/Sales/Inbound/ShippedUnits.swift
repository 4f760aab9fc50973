import Commerce
import Messages
import RPC
import ServiceKit

/// How many units of which lines a `customer_shipment_done` tells of (messages.md §4.6).
///
/// Of a line with one unit that unit. An item with many units, or with a decimal quantity, is one line (``LedgerLine``), and may leave
/// in several parcels, of which the message's definition says little. In this order:
///
/// 1. The quantity of the packages' `aggregated_items` that name the line counts, also where it is less than the entries say: it is
///    the only member that speaks of units. Where it is of several lines, those of one unit take theirs, and the rest goes to the
///    others in turn.
/// 2. Without, each entry of the line in `items` is a unit, as it is for all other lines, when there are several.
/// 3. One entry, and no quantity: all that is left of the line. Who ships a part of it has to say how much.
///
/// What is more than what is left of a line is a repetition, or a mistake of which nobody could be billed: it is left out. A quantity
/// that is too small does no harm but that the rest is missed: ``ShopPlan/lateParcel`` tells an operator.
struct ShippedUnits {
  /// By line number; nil of all that is left of it.
  private var told: [Int: Decimal?] = [:]

  /// Units of a SKU in one package.
  struct Aggregated: Sendable, Equatable {
    var sku: String
    var quantity: Decimal
    /// Numbers of lines; one sender writes ids of order items.
    var lines: [Int64]
  }

  /// - Throws: `invalidArgument` when the order has no such line.
  init(
    _ items: [Magento.Oms.V1.ShipmentItem], _ quantities: [Aggregated], of lines: [SalesLine], _ incrementID: String
  ) throws(RPCError) {
    let entries = try Self.entries(items, lines, incrementID)
    let byNumber = Dictionary(lines.map { ($0.number, $0) }) { first, _ in first }
    for (number, count) in entries {
      guard let line = byNumber[number] else { continue }
      told[number] = .some(line.quantity == 1 || count > 1 ? Decimal(count) : nil)
    }
    for (number, units) in Self.units(quantities, lines.filter { entries[$0.number] != nil }) {
      told[number] = .some(units)
    }
  }

  /// Of what is left of a line, what leaves.
  func units(of line: SalesLine) -> Decimal {
    guard let units = told[line.number] else { return 0 }
    return units.map { min($0, line.unshipped) } ?? line.unshipped
  }

  /// Whether this is what a known parcel took, apart from lines of which nothing is left.
  ///
  /// - Parameter byItem: the message names no lines but items.
  func isWhatLeft(with key: String, of lines: [SalesLine], byItem: Bool) -> Bool {
    var things: [Int64: (told: Decimal?, took: Decimal, open: Decimal, isTold: Bool)] = [:]
    for line in lines where line.itemID != 0 && line.kind != .bundle {
      var thing = things[byItem ? line.itemID : Int64(line.number)] ?? (0, 0, 0, false)
      if let units = told[line.number] {
        thing.told = thing.told.flatMap { sum in units.map { sum + $0 } }
        thing.isTold = true
      }
      thing.took += line.shipped[key] ?? 0
      thing.open += line.unshipped
      things[byItem ? line.itemID : Int64(line.number)] = thing
    }
    guard things.values.contains(where: { $0.took > 0 }) else { return false }
    return things.values.allSatisfy { thing in
      guard thing.isTold else { return thing.took.isZero }
      if thing.open.isZero { return thing.told.map { thing.took <= $0 } ?? true }
      return thing.told == thing.took
    }
  }

  /// How often each line is named, by its number. Senders that know no line numbers write the item's id: as many of its lines, those
  /// first that are open. Bundles leave with their parts.
  private static func entries(
    _ items: [Magento.Oms.V1.ShipmentItem], _ lines: [SalesLine], _ incrementID: String
  ) throws(RPCError) -> [Int: Int] {
    var entries: [Int: Int] = [:]
    let byNumber = Dictionary(lines.map { ($0.number, $0) }) { first, _ in first }
    let byItem = Dictionary(grouping: lines.filter { $0.itemID != 0 }) { "\($0.itemID)" }
    for item in items {
      let number = Int(item.orderLineNumber)
      if number != 0 {
        guard let line = byNumber[number] else {
          throw .invalid(
            field: "shipment.items.order_line_number",
            "order \(quotable(incrementID)) has no line \(number); it has \(lines.count)")
        }
        if line.itemID != 0 { entries[number, default: 0] += 1 }
        continue
      }
      if item.orderLineId == "SHIPPING" { continue }
      let ofItem = (byItem[item.orderLineId] ?? []).filter { $0.quantity != 1 || entries[$0.number] == nil }
      guard let line = ofItem.first(where: { $0.shippedAt == nil && $0.cancelledAt == nil }) ?? ofItem.first else {
        throw .invalid(
          field: "shipment.items.order_line_id",
          "order \(quotable(incrementID)) has no line with the id \"\(quotable(item.orderLineId))\"")
      }
      entries[line.number, default: 0] += 1
    }
    return entries.filter { byNumber[$0.key]?.kind != .bundle }
  }

  /// By the number of the line, of those with many units.
  private static func units(_ quantities: [Aggregated], _ named: [SalesLine]) -> [Int: Decimal] {
    var units: [Int: Decimal] = [:]
    for said in quantities {
      let ids = Set(said.lines)
      let ofSKU = named.filter { $0.sku == said.sku }
      let own = ofSKU.isEmpty ? named : ofSKU
      let byNumber = own.filter { ids.contains(Int64($0.number)) }
      let lines = ids.isEmpty ? ofSKU : byNumber.isEmpty ? own.filter { ids.contains($0.itemID) } : byNumber
      let many = lines.filter { $0.quantity != 1 }
      var rest = max(said.quantity - Decimal(lines.count - many.count), 0)
      for (index, line) in many.enumerated() {
        let room = max(line.unshipped - units[line.number, default: 0], 0)
        let share = index == many.count - 1 ? rest : min(rest, room)
        units[line.number, default: 0] += share
        rest -= share
      }
    }
    return units
  }
}

// MARK: - Reading

extension ShippedUnits.Aggregated {
  /// The quantities of all packages; the message's definition knows whole ones only, which decimal items don't have.
  ///
  /// - Throws: `invalidArgument` when one is no quantity.
  static func all(in root: JSONValue) throws(RPCError) -> [Self] {
    var all: [Self] = []
    for package in root["shipment"]?["packages"]?.elements ?? [] {
      for item in package["aggregated_items"]?.elements ?? [] {
        guard let said = item["quantity"], said.kind != .null else { continue }
        let text = said.scalar ?? said.excerpt
        if text.isEmpty { continue }
        guard let quantity = Decimal(text), quantity >= 0 else {
          throw .invalid(
            field: "shipment.packages.aggregated_items.quantity",
            "quantity \"\(quotable(text))\" is no number of units")
        }
        // None is what encoders write for what is not said.
        if quantity.isZero { continue }
        let lines = (item["order_lines"]?.elements ?? []).compactMap(\.integer)
        all.append(.init(sku: item["sku"]?.string ?? "", quantity: quantity, lines: lines))
      }
    }
    try OrderLimits.check(lines: all.count)
    return all
  }
}

extension ShippedUnits {
  /// The message without its quantities, where those are no whole numbers.
  static func message(_ root: JSONValue) throws -> Magento.Oms.V1.CustomerShipmentDone {
    do throws(MessageError) {
      return try Magento.Oms.V1.CustomerShipmentDone(json: root)
    } catch {
      return try Magento.Oms.V1.CustomerShipmentDone(json: Array(withoutQuantities(root).utf8))
    }
  }

  private static func withoutQuantities(_ value: JSONValue) -> String {
    if let elements = value.elements { return "[\(elements.map(withoutQuantities).joined(separator: ","))]" }
    guard value.kind == .object else { return value.text }
    let members = value.members.filter { $0.name != "aggregated_items" }
      .map { "\(JSONText.quoted($0.name)):\(withoutQuantities($0.value))" }
    return "{\(members.joined(separator: ","))}"
  }
}
