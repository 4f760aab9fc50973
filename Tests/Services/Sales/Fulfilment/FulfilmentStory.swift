import Commerce
import Messages
import TestSupport

@testable import Sales

/// A random order, what becomes of each of its lines, and the OMS's messages about it.
struct FulfilmentStory {
  var shop = ModelShop()
  var lines: [SalesLine] = []
  var payment: Mapping.PaymentMethod
  /// Line numbers of each parcel.
  var parcels: [[Int]]
  /// Of lines with many units, how many leave with each parcel.
  var units: [Int: [Decimal]] = [:]
  /// Numbers of lines that are never sent; of those with many units, what has not left.
  var cancelled: Set<Int> = []
  /// Numbers of lines of which the OMS says nothing, to the end.
  var unmentioned: Set<Int> = []
  private(set) var random: SeededGenerator

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    let model = Mapping.CaptureModel.allCases.randomElement(using: &random) ?? .offline
    payment = .init(model: model)
    payment.capturesInParts = Bool.random(using: &random)
    parcels = []
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      switch Int.random(in: 0..<6, using: &random) {
      case 5: addMany()
      case 0: addBundle()
      case 1: addConfigurable()
      case 2: addItem(isVirtual: true)
      default: addItem(isVirtual: false)
      }
    }
    lines.append(SalesLine(number: lines.count + 1, kind: .shipping, sku: "STANDARD"))
    decideFates()
  }

  private mutating func nextID() -> Int64 { Int64(shop.items.count + 1) * 10 }
  private mutating func quantity() -> Int { Int.random(in: 1...4, using: &random) }

  private mutating func addLines(_ item: Int64, _ kind: SoldItem.Kind, _ count: Int, parent: (Int) -> Int = { _ in 0 })
  {
    for index in 0..<count {
      var line = SalesLine(number: lines.count + 1, kind: kind, sku: "S\(item)")
      line.itemID = item
      line.parent = parent(index)
      lines.append(line)
    }
  }

  private mutating func addItem(isVirtual: Bool) {
    let (id, count) = (nextID(), quantity())
    shop.items.append(
      .init(id: id, parent: nil, type: isVirtual ? "virtual" : "simple", isVirtual: isVirtual, ordered: Decimal(count)))
    addLines(id, isVirtual ? .virtual : .physical, count)
  }

  /// One line: more units than lines are made of, or not whole ones.
  private mutating func addMany() {
    let quantities: [Decimal] = [150, 250, Decimal("2.5")!, Decimal("0.75")!]
    let quantity = quantities.randomElement(using: &random) ?? 150
    let id = nextID()
    shop.items.append(.init(id: id, parent: nil, type: "simple", ordered: quantity))
    addLines(id, .physical, 1)
    lines[lines.count - 1].quantity = quantity
  }

  private mutating func addConfigurable() {
    let (id, count) = (nextID(), quantity())
    shop.items.append(.init(id: id, parent: nil, type: "configurable", ordered: Decimal(count)))
    shop.items.append(.init(id: id + 1, parent: id, type: "simple", price: 0, ordered: Decimal(count)))
    addLines(id, .physical, count)
  }

  private mutating func addBundle() {
    let (id, count) = (nextID(), Int.random(in: 1...2, using: &random))
    let isFixed = Bool.random(using: &random)
    let separately = Bool.random(using: &random)
    shop.items.append(
      .init(
        id: id, parent: nil, type: "bundle", price: isFixed ? 30 : 0, ordered: Decimal(count),
        shipsSeparately: separately, hasFixedPrice: isFixed))
    let first = lines.count + 1
    addLines(id, .bundle, count)
    for index in lines.indices.suffix(count) { lines[index].shipsTogether = !separately }
    for part in 1...Int64.random(in: 1...3, using: &random) {
      let per = Int.random(in: 1...2, using: &random)
      shop.items.append(
        .init(
          id: id + part, parent: id, type: "simple", price: isFixed ? 0 : 10, ordered: Decimal(count * per),
          perParent: Decimal(per)))
      addLines(id + part, .physical, count * per) { first + $0 / per }
    }
  }

  /// Each thing leaves with one of some parcels, is cancelled, or is never heard of; the parts of a bundle that ships together
  /// mostly alike.
  private mutating func decideFates() {
    let count = Int.random(in: 0...3, using: &random)
    parcels = Array(repeating: [], count: count)
    var together: [Int: Int] = [:]
    for line in lines where line.quantity != 1 { decideUnits(of: line, count) }
    for line in lines where line.itemID != 0 && line.kind != .bundle && line.quantity == 1 {
      var fate = count == 0 ? 0 : Int.random(in: 0...count, using: &random)
      if line.parent != 0, lines[line.parent - 1].shipsTogether, Int.random(in: 0..<4, using: &random) > 0 {
        fate = together[line.parent] ?? fate
        together[line.parent] = fate
      }
      if line.kind == .virtual, fate != 0, Bool.random(using: &random) { continue }  // given out without a parcel
      if line.kind == .physical, Int.random(in: 0..<12, using: &random) == 0 {
        unmentioned.insert(line.number)
      } else if fate == 0 {
        cancelled.insert(line.number)
      } else {
        parcels[fate - 1].append(line.number)
      }
    }
    let kept = parcels.indices.filter { !parcels[$0].isEmpty }
    units = units.mapValues { units in kept.map { units[$0] } }
    parcels = kept.map { parcels[$0] }
  }

  /// A part of it leaves with each of some parcels; the rest with the last of them, or never.
  private mutating func decideUnits(of line: SalesLine, _ count: Int) {
    var left = line.quantity
    var shares = Array(repeating: Decimal.zero, count: count)
    for index in 0..<count where Bool.random(using: &random) {
      let share = Bool.random(using: &random) ? left : (left / 3).rounded(left.integer == nil ? 2 : 0)
      shares[index] = share
      left -= share
      if share > 0 { parcels[index].append(line.number) }
    }
    units[line.number] = shares
    if left.isZero { return }
    if Int.random(in: 0..<4, using: &random) == 0 {
      unmentioned.insert(line.number)
    } else {
      cancelled.insert(line.number)
    }
  }

  /// Units of a line that leave.
  func sent(_ line: SalesLine) -> Decimal { units[line.number]?.sum() ?? (hasLeft(line) ? 1 : 0) }

  /// As messages say it: a line with many units is there once, with a quantity if it does not leave as a whole, or once for each unit.
  private func parcelJSON(_ index: Int) -> String {
    var items: [String] = []
    var quantities: [String] = []
    for number in parcels[index] {
      let item = #"{"order_line_number":\#(number)}"#
      guard let share = units[number]?[index], share < lines[number - 1].quantity || index % 2 == 0 else {
        items.append(item)
        continue
      }
      let count = share.integer ?? 1
      items += Array(repeating: item, count: count)
      if count == 1 || index % 2 == 1 {
        quantities.append(#"{"sku":"\#(lines[number - 1].sku)","quantity":"\#(share)","order_lines":[\#(number)]}"#)
      }
    }
    return
      #"{"shipment":{"order_id":"7","shipment_request_id":"R\#(index)","items":[\#(items.joined(separator: ","))],"packages":[{"tracking_number":"T\#(index)","carrier":"UPS ","aggregated_items":[\#(quantities.joined(separator: ","))]}]}}"#
  }

  // MARK: What is to become of bundles

  func parts(of bundle: SalesLine) -> [SalesLine] { lines.filter { $0.parent == bundle.number } }
  func hasLeft(_ line: SalesLine) -> Bool { parcels.contains { $0.contains(line.number) } }

  /// A unit that the shop ships as a whole, of which a part left and another never does.
  func isTorn(_ bundle: SalesLine) -> Bool {
    let parts = parts(of: bundle)
    return bundle.shipsTogether && parts.contains(where: hasLeft) && !parts.allSatisfy(hasLeft)
  }

  /// A unit with a price of its own, of which a part left, and of another nobody says that it is cancelled.
  func isUnaccounted(_ bundle: SalesLine) -> Bool {
    let parts = parts(of: bundle)
    return shop[bundle.itemID].hasFixedPrice && parts.contains(where: hasLeft)
      && parts.contains { unmentioned.contains($0.number) }
  }

  var bundles: [SalesLine] { lines.filter { $0.kind == .bundle } }

  /// What the OMS says, in the order in which it happened.
  func messages() throws -> [any LedgerChange] {
    var all: [any LedgerChange] = []
    func add<Change: LedgerChange>(_ read: ([UInt8]) throws -> Change, _ json: String) throws {
      all.append(try read(Array(json.utf8)))
    }
    func time(_ minute: Int) -> String { "2024-02-03T04:\(minute < 10 ? "0" : "")\(minute):00+00:00" }
    try add(OrderUpdate.init(created:), #"{"order":{"id":"7","status":"RECEIVED","status_date":"\#(time(0))"}}"#)
    try add(
      OrderUpdate.init(updated:),
      #"{"order":{"id":"7","status":"LOGISTICS","status_reason":"READYTOSHIP","status_date":"\#(time(1))"}}"#)
    for index in parcels.indices { try add({ try Parcel($0) }, parcelJSON(index)) }
    let shipped = Set(parcels.joined()).subtracting(cancelled).subtracting(unmentioned)
    let said = lines.filter { shipped.contains($0.number) || cancelled.contains($0.number) }.map {
      #"{"line_number":\#($0.number),"status":"\#(shipped.contains($0.number) ? "SHIPPED" : "CANCELLED")"}"#
    }
    let isAllCancelled = lines.allSatisfy {
      $0.itemID == 0 || $0.kind == .bundle || (cancelled.contains($0.number) && !hasLeft($0))
    }
    let reason =
      cancelled.union(unmentioned).isEmpty ? "FULLYSHIPPED" : isAllCancelled ? "FULLYCANCELLED" : "PARTIALLYSHIPPED"
    try add(
      OrderUpdate.init(updated:),
      #"{"order":{"id":"7","status":"COMPLETE","status_reason":"\#(reason)","status_date":"\#(time(9))","lines":[\#(said.joined(separator: ","))]}}"#
    )
    return all
  }
}
