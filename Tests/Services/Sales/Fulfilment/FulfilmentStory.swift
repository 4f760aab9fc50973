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
  /// Numbers of lines that are never sent.
  var cancelled: Set<Int> = []
  private(set) var random: SeededGenerator

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    let model = Mapping.CaptureModel.allCases.randomElement(using: &random) ?? .offline
    payment = .init(model: model)
    payment.capturesInParts = Bool.random(using: &random)
    parcels = []
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      switch Int.random(in: 0..<5, using: &random) {
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

  /// Each thing leaves with one of some parcels, or is cancelled; the parts of a bundle that ships together alike.
  private mutating func decideFates() {
    let count = Int.random(in: 0...3, using: &random)
    parcels = Array(repeating: [], count: count)
    var together: [Int: Int] = [:]
    for line in lines where line.itemID != 0 && line.kind != .bundle {
      var fate = count == 0 ? 0 : Int.random(in: 0...count, using: &random)
      if line.parent != 0, lines[line.parent - 1].shipsTogether {
        fate = together[line.parent] ?? fate
        together[line.parent] = fate
      }
      if line.kind == .virtual, fate != 0, Bool.random(using: &random) { continue }  // given out without a parcel
      if fate == 0 { cancelled.insert(line.number) } else { parcels[fate - 1].append(line.number) }
    }
    parcels.removeAll(where: \.isEmpty)
  }

  /// What the OMS says, in the order in which it happened.
  var messages: [any LedgerChange] {
    var all: [any LedgerChange] = []
    func add<Change: LedgerChange>(_ read: ([UInt8]) throws -> Change, _ json: String) {
      guard let change = try? read(Array(json.utf8)) else {
        fatalError("the test's own message can't be read: \(json)")
      }
      all.append(change)
    }
    func time(_ minute: Int) -> String { "2024-02-03T04:\(minute < 10 ? "0" : "")\(minute):00+00:00" }
    add(OrderUpdate.init(created:), #"{"order":{"id":"7","status":"RECEIVED","status_date":"\#(time(0))"}}"#)
    add(
      OrderUpdate.init(updated:),
      #"{"order":{"id":"7","status":"LOGISTICS","status_reason":"READYTOSHIP","status_date":"\#(time(1))"}}"#)
    for (index, parcel) in parcels.enumerated() {
      let items = parcel.map { #"{"order_line_number":\#($0)}"# }.joined(separator: ",")
      add(
        Parcel.init,
        #"{"shipment":{"order_id":"7","shipment_request_id":"R\#(index)","items":[\#(items)],"packages":[{"tracking_number":"T\#(index)","carrier":"UPS "}]}}"#
      )
    }
    let shipped = Set(parcels.joined())
    let said = lines.filter { shipped.contains($0.number) || cancelled.contains($0.number) }.map {
      #"{"line_number":\#($0.number),"status":"\#(shipped.contains($0.number) ? "SHIPPED" : "CANCELLED")"}"#
    }
    let isAllCancelled = lines.allSatisfy { $0.itemID == 0 || $0.kind == .bundle || cancelled.contains($0.number) }
    let reason = cancelled.isEmpty ? "FULLYSHIPPED" : isAllCancelled ? "FULLYCANCELLED" : "PARTIALLYSHIPPED"
    add(
      OrderUpdate.init(updated:),
      #"{"order":{"id":"7","status":"COMPLETE","status_reason":"\#(reason)","status_date":"\#(time(9))","lines":[\#(said.joined(separator: ","))]}}"#
    )
    return all
  }
}
