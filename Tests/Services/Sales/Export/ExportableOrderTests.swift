import Messages
import TestSupport
import Testing

@testable import Commerce
@testable import Sales

@Suite("An order on its way to the OMS")
struct ExportableOrderTests {
  @Test("its lines add up to what the customer pays, to the last minor unit", arguments: 0..<400)
  func money(seed: UInt64) throws {
    let random = RandomOrder(seed: seed)
    let export = try ExportableOrder(
      random.order, products: random.products, view: RandomOrder.view, mapping: RandomOrder.mapping)
    #expect(export.lines.map(\.amounts.gross).sum() == random.due, "seed \(seed)")
    #expect(export.lines.allSatisfy { $0.amounts.net + $0.amounts.tax == $0.amounts.gross }, "seed \(seed)")
    // Every unit of every item is in one line.
    for item in random.order.items where random.order.items.allSatisfy({ $0.parentItemId != item.itemId }) {
      let owner = item.parentItemId == 0 ? item : random.order.items.first { $0.itemId == item.parentItemId }
      let id = owner?.productType == "configurable" ? item.parentItemId : item.itemId
      let quantity = export.lines.filter { $0.itemID == id && $0.kind != .bundle }.map(\.quantity).sum()
      #expect(quantity == item.qtyOrdered.flatMap { Decimal($0) }, "seed \(seed): item \(id)")
    }
    #expect(export.lines.filter { $0.kind == .bundle }.allSatisfy { $0.amounts == .zero }, "seed \(seed)")
    #expect(export.lines.map(\.number) == Array(1...export.lines.count), "seed \(seed)")
  }

  @Test("the message says what the lines say, with one transaction of the grand total", arguments: 0..<100)
  func message(seed: UInt64) throws {
    let random = RandomOrder(seed: seed)
    let order = try #require(
      ExportableOrder(random.order, products: random.products, view: RandomOrder.view, mapping: RandomOrder.mapping)
        .message().order)
    func number(_ value: Google.Types.Decimal?) -> Decimal { value.flatMap { Decimal($0) } ?? 0 }
    #expect(order.lines.map { number($0.amount?.grossAmount) }.sum() == random.due, "seed \(seed)")
    #expect(order.payments.map(\.transactions.count) == [1])
    #expect(number(order.payments.first?.transactions.first?.amount) == number(random.order.grandTotal))
    for line in order.lines {
      let amount = try #require(line.amount)
      #expect(!amount.taxes.isEmpty)
      #expect(amount.taxes.map { number($0.amount) }.sum() == number(amount.taxAmount), "seed \(seed)")
    }
    #expect(!order.json().contains("SECRETCODE"), "a whole gift-card code never leaves the shop")
  }

  private func export(
    _ change: (inout Magento.Commerce.V1.Order) -> Void = { _ in }, mapping: Mapping = RandomOrder.mapping,
    products changeProducts: (inout [Int64: CatalogProduct]) -> Void = { _ in }
  ) throws -> ExportableOrder {
    var order = Magento.Commerce.V1.Order(
      entityId: 7, incrementId: "000000007", createdAt: "2024-02-03 04:05:06", remoteIp: "192.0.2.7",
      orderCurrencyCode: "EUR", grandTotal: .init(value: "25"), shippingAmount: .init(value: "5"),
      shippingDescription: "Flat rate", customerIsGuest: true, customerEmail: "a@example.com",
      billingAddress: .init(
        entityId: 16, firstname: "Ada", lastname: "B", street: ["Way 1", "Floor 2"], countryId: "DE"),
      payment: .init(entityId: 8, method: "checkmo"),
      items: [
        .init(
          itemId: 3, productId: 9, productType: "simple", sku: "MUG-red", name: "Mug", qtyOrdered: .init(value: "2"),
          price: .init(value: "10"), rowTotal: .init(value: "20"))
      ],
      extensionAttributes: .init(
        shippingAssignments: [
          .init(shipping: .init(address: .init(entityId: 15, countryId: "DE"), method: "flatrate_flatrate"))
        ]))
    change(&order)
    var products: [Int64: CatalogProduct] = [9: .init(sku: "MUG", isExported: true, price: 10)]
    changeProducts(&products)
    return try ExportableOrder(order, products: products, view: RandomOrder.view, mapping: mapping)
  }

  @Test("an offline order is one that the OMS takes: channel, guest, addresses, ZEROPAY, UTC, a line a unit")
  func offline() throws {
    let order = try #require(try export().message().order)
    #expect(order.id == "000000007" && order.store == "EU-STORE" && order.vatCountry == "DE")
    #expect(order.originDate == "2024-02-03T04:05:06+00:00" && order.language == "en_US")
    #expect(order.customer == .init(id: "anonymous", type: "GUEST", segment: "B2C"))
    #expect(order.addresses.map(\.reference) == ["16", "15"])
    #expect(order.addresses[0].address2 == "Floor 2" && order.addresses[0].email == "a@example.com")
    let transaction = try #require(order.payments.first?.transactions.first)
    #expect(transaction.paymentMethod == "ZEROPAY" && transaction.paymentSubmethod == "ZEROPAY")
    #expect(transaction.gatewayInformation?.gatewayId == "OFFLINE")
    #expect(
      transaction.gatewayInformation?.customAttributes == [
        .init(name: "mdc_gateway_processor", attributeCode: "mdc_gateway_processor", value: "checkmo")
      ])
    #expect(order.lines.map(\.id) == ["3", "3", "SHIPPING"])
    #expect(order.lines.map(\.sku) == ["MUG", "MUG", "STANDARD"], "the catalog's SKU, not the item's")
    #expect(order.lines.map(\.lineNumber) == [1, 2, 3] && order.lines.map(\.shippingLineNumber) == [3, 3, 0])
    #expect(order.lines.allSatisfy { $0.amount?.taxes.first?.type == "NO TAX" })
  }

  private typealias Change = @Sendable (inout Magento.Commerce.V1.Order) -> Void

  private static let waiting: [(ExportHold, Change)] = [
    (.paymentMethod("adyen_cc"), { $0.payment?.method = "adyen_cc" }),
    (.paymentMethod(""), { $0.payment = nil }),
    (
      .shippingMethod("dhl_x"), { $0.extensionAttributes?.shippingAssignments[0].shipping?.method = "dhl_x" }
    ),
    (.shippingMethod(""), { $0.extensionAttributes = nil }),
    (.notInCatalog(sku: "MUG-red"), { $0.items[0].productId = 10 }),
    (.unexplained(-1, currency: "EUR"), { $0.grandTotal = .init(value: "24") }),
    (.unexplained(2, currency: "EUR"), { $0.grandTotal = .init(value: "27") }),
    (.giftWrap(3, currency: "EUR"), { $0.extensionAttributes?.gwPrice = .init(value: "3") }),
    (
      .unreadable(field: "order: grand_total", reason: "\"1e300\" is no amount"),
      { $0.grandTotal = .init(value: "1e300") }
    ),
    (.begun(sku: "MUG-red", what: "1 was shipped"), { $0.items[0].qtyShipped = .init(value: "1.0000") }),
    (.begun(sku: "MUG-red", what: "2 were refunded"), { $0.items[0].qtyRefunded = .init(value: "2") }),
    (.begun(sku: "MUG-red", what: "0.5 were cancelled"), { $0.items[0].qtyCanceled = .init(value: "0.5") }),
    (.unreadable(field: "item 3: qty_ordered", reason: "is 0"), { $0.items[0].qtyOrdered = .init(value: "0") }),
    (.unreadable(field: "item 3", reason: "is in the order twice"), { $0.items.append($0.items[0]) }),
    (
      .unreadable(field: "item 3", reason: "is a bundle of nothing"), { $0.items[0].productType = "bundle" }
    ),
    (
      .unreadable(field: "item 3", reason: "is configurable and has 0 variants instead of one"),
      { $0.items[0].productType = "configurable" }
    ),
  ]

  @Test("what is not mapped, not exported or not explained makes it wait, with the reason", arguments: waiting.indices)
  func holds(index: Int) throws {
    let (expected, change) = Self.waiting[index]
    var mapping = RandomOrder.mapping
    mapping.services = [:]
    #expect(throws: expected) { try export(change, mapping: mapping) }
    #expect("\(expected)".count > 10)
  }

  @Test("a bundle of many parts with absurd prices and quantities is spread like any other")
  func absurd() throws {
    let count = 400
    let export = try export { order in
      order.items[0].productType = "bundle"
      order.items[0].qtyOrdered = .init(value: "1")
      order.items += (1...count).map { index in
        .init(
          itemId: Int64(100 + index), parentItemId: 3, productId: 9, productType: "simple", sku: "P\(index)",
          qtyOrdered: .init(value: "1000000000000"))
      }
    } products: {
      $0[9]?.price = .limit
    }
    #expect(export.lines.filter { $0.kind == .physical }.map(\.amounts.gross).sum() == 20)
  }

  @Test("a website without a sales channel makes it wait; a store view's own channel goes before the website's")
  func channels() throws {
    #expect(throws: ExportHold.website("base")) { try export(mapping: Mapping()) }
    var mapping = RandomOrder.mapping
    mapping.storeViews["default"] = "EU-GERMAN"
    #expect(try export(mapping: mapping).channel == "EU-GERMAN")
  }

  @Test("an order with amounts beyond all sense waits or is exported, and ends nothing", arguments: 0..<400)
  func senselessAmounts(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let amounts = [
      "0", "1000000000000", "-1000000000000", "0.000000000001", "-0.000000000001", "1e13", "x", "", "3.3333",
    ]
    func amount() -> Google.Types.Decimal { .init(value: amounts.randomElement(using: &generator) ?? "0") }
    var random = RandomOrder(seed: seed)
    for index in random.order.items.indices {
      random.order.items[index].rowTotal = amount()
      random.order.items[index].taxAmount = amount()
      random.order.items[index].taxPercent = amount()
      random.order.items[index].discountAmount = amount()
      random.order.items[index].discountTaxCompensationAmount = amount()
      random.order.items[index].weeeTaxAppliedRowAmount = amount()
      if seed.isMultiple(of: 2) { random.order.items[index].qtyOrdered = amount() }
    }
    random.order.shippingAmount = amount()
    random.order.shippingTaxAmount = amount()
    random.order.extensionAttributes?.gwPrice = amount()
    random.order.extensionAttributes?.gwTaxAmount = amount()
    random.order.extensionAttributes?.gwItemsPrice = amount()
    random.order.extensionAttributes?.gwItemsTaxAmount = amount()
    random.order.extensionAttributes?.gwCardTaxAmount = amount()
    random.order.grandTotal = amount()
    var mapping = RandomOrder.mapping
    mapping.services["fee"] = "FEE"
    do {
      let export = try ExportableOrder(
        random.order, products: random.products, view: RandomOrder.view, mapping: mapping)
      #expect(export.message().order?.lines.count == export.lines.count)
    } catch {
      #expect(!"\(error)".isEmpty)
    }
  }

  @Test("an unexplained rest is a service where one is mapped")
  func fee() throws {
    var mapping = RandomOrder.mapping
    mapping.services["fee"] = "FEE"
    let lines = try export({ $0.grandTotal = .init(value: "27.50") }, mapping: mapping).lines
    #expect(lines.last?.sku == "FEE" && lines.last?.amounts.gross == Decimal("2.5"))
  }
}
