import Messages
import Testing

@testable import Commerce
@testable import Sales

@Suite("An order as the shop answers it")
struct ShopOrderTests {
  @Test("of gift-card codes only the last four characters stay, wherever they are")
  func codes() throws {
    let order = try TestExport.order(
      "7",
      [
        "gift_cards": #""[{\"i\":1,\"c\":\"SECRETCODE1\"}]""#,
        "extension_attributes":
          #"{"gift_cards":[{"id":1,"code":"SECRETCODE1","amount":5.5,"x":{"c":"SECRETCODE2","n":"keep"}}],"other":{"code":"keep"}}"#,
      ])
    let text = String(decoding: order.content, as: UTF8.self)
    #expect(!text.contains("SECRET"))
    #expect(text.contains(#""code":"ODE1","amount":5.5"#) && text.contains(#""c":"ODE2","n":"keep""#))
    #expect(text.contains(#""other":{"code":"keep"}"#))
    #expect(order.message.extensionAttributes?.giftCards.first?.code == "ODE1")
  }

  @Test("what the shop says of the items again, with each shipping assignment, is not kept")
  func assignments() throws {
    let order = try TestExport.order(
      "7",
      [
        "extension_attributes":
          #"{"shipping_assignments":[{"shipping":{"method":"m","address":{"gift_cards":"SECRET"}},"items":[{"item_id":3}]}]}"#
      ])
    let text = String(decoding: order.content, as: UTF8.self)
    #expect(
      text.contains(#""shipping_assignments":[{"shipping":{"method":"m","address":{"gift_cards":""}},"items":[]}]"#))
    #expect(order.message.extensionAttributes?.shippingAssignments.first?.shipping?.method == "m")
  }

  @Test("an order whose gift cards can't be read is refused without a word of them")
  func unreadableCards() throws {
    let text = #"{"increment_id":"7","extension_attributes":{"gift_cards":"SECRETCODE1"}}"#
    let error = #expect(throws: UnreadableOrder.self) { try ShopOrder(parsing: Array(text.utf8)) }
    #expect(error.map { "\($0)".contains("gift_cards") && !"\($0)".contains("SECRET") } == true, "\(error as Any)")
  }

  @Test("the same order has the same digest, a changed one another")
  func digest() throws {
    #expect(try TestExport.order().digest == TestExport.order().digest)
    #expect(try TestExport.order().digest != TestExport.order("000000007", ["status": "\"x\""]).digest)
  }

  @Test(
    "what is no order is refused with the reason",
    arguments: [
      ("", "ends too early"), ("[]", "no JSON object"), ("{}", "increment_id \"\""),
      (#"{"increment_id":"7","items":5}"#, "items"),
    ])
  func unreadable(text: String, reason: String) throws {
    let error = #expect(throws: UnreadableOrder.self) { try ShopOrder(parsing: Array(text.utf8)) }
    #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
  }

  @Test(
    "of an order that can't be read the number is kept where there is one",
    arguments: [("\"7\"", "7"), ("7", "7"), ("null", ""), ("[]", "")])
  func numberOfUnreadable(json: String, number: String) throws {
    let text = #"{"increment_id":\#(json),"entity_id":"9","items":5}"#
    let error = #expect(throws: UnreadableOrder.self) { try ShopOrder(parsing: Array(text.utf8)) }
    #expect(error?.incrementID == number && error?.entityID == 9)
  }

  @Test("mapped attributes come from where modules put them, at every level, and never as whole codes")
  func attributes() throws {
    var mapping = Mapping()
    mapping.attributes = [
      .init(level: .order, source: "delivery_note", name: "note"),
      .init(level: .order, source: "is_gift", name: "gift"),
      .init(level: .order, source: "gift_cards", name: "cards"), .init(level: .order, source: "absent", name: "absent"),
      .init(level: .line, source: "engraving", name: "engraving"),
      .init(level: .address, source: "floor", name: "floor"),
      .init(level: .payment, source: "po_number", name: "po"),
    ]
    let order = try TestExport.order(
      "7",
      [
        "is_gift": "true",
        "extension_attributes": #"""
        {"delivery_note":"ring","gift_cards":[{"id":1,"code":"SECRETCODE1","amount":1}],"shipping_assignments":
        [{"shipping":{"method":"flatrate_flatrate","address":{"entity_id":15,"custom_attributes":{"floor":"3"}}}}]}
        """#,
        "payment": #"{"entity_id":8,"method":"checkmo","po_number":"PO-1"}"#,
        "billing_address": #"{"entity_id":16,"custom_attributes":[{"attribute_code":"floor","value":"2"}]}"#,
        "items": #"""
        [{"item_id":3,"product_id":9,"product_type":"configurable","sku":"M","qty_ordered":1,"row_total":20},
         {"item_id":4,"parent_item_id":3,"product_id":9,"product_type":"simple","sku":"M-1","qty_ordered":1,
          "extension_attributes":{"engraving":{"text":"A"}}}]
        """#,
      ])
    let attributes = try MappedAttributes(of: order, mapping)
    #expect(attributes.order.map { "\($0.name)=\($0.value)" } == ["note=ring", "gift=true"])
    #expect(attributes.lines[3]?.map { "\($0.name)=\($0.value)" } == [#"engraving={"text":"A"}"#])
    #expect(attributes.addresses.mapValues { $0.map(\.value) } == [15: ["3"], 16: ["2"]])
    #expect(attributes.payment.map { "\($0.name)=\($0.value)" } == ["po=PO-1"])

    mapping.websites["base"] = .init(channel: "EU", vatCountry: nil)
    let export = try ExportableOrder(
      order.message, products: [9: .init(sku: "M", isExported: true, price: 1)], view: RandomOrder.view,
      mapping: mapping)
    let sent = try #require(export.message(attributes: attributes).order)
    #expect(sent.customAttributes.map(\.name) == ["note", "gift", "cards"])
    #expect(sent.customAttributes.allSatisfy { $0.name == $0.attributeCode })
    #expect(sent.lines[0].customAttributes.map(\.name) == ["engraving"] && sent.lines.last?.customAttributes == [])
    #expect(sent.addresses.map { $0.customAttributes.map(\.value) } == [["2"], ["3"]])
    let gateway = sent.payments[0].transactions[0].gatewayInformation
    #expect(gateway?.customAttributes.map(\.name) == ["mdc_gateway_processor", "po"])
    #expect(!sent.json().contains("SECRET"))
  }
}
